"""Settings of a program, read from environment variables into one frozen class.

In: the environment as a mapping. Out: the settings, or InvalidSettings that names variable, value
and rule. The API, the operator and the job pods share these rules: an empty variable counts as
unset, names of unknown variables are ignored, and a boolean may be written as true, yes, on or 1
and false, no, off or 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

SHOWN_CHARS = 80
RULES = {
    "bool_parsing": "allowed are true and false",
    "bool_type": "allowed are true and false",
    "int_parsing": "a whole number is required",
    "greater_than_equal": "the smallest allowed value is {ge}",
    "less_than_equal": "the largest allowed value is {le}",
    "enum": "allowed are {expected}",
    "literal_error": "allowed are {expected}",
    "string_pattern_mismatch": "must match {pattern}",
}


class InvalidSettings(ValueError):
    """A program cannot start with these settings. The message names variable, value and rule."""


def split_words(value: object) -> object:
    """Split text at commas and white space; leave anything else as it is."""
    return tuple(re.findall(r"[^,\s]+", value)) if isinstance(value, str) else value


def parse_json(value: object) -> object:
    """Parse text as JSON; leave anything else as it is. Raises ValueError."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {error}") from None


Words = Annotated[tuple[str, ...], BeforeValidator(split_words)]
FromJson = BeforeValidator(parse_json)


class EnvironmentSettings(BaseSettings):
    """Base of a program's settings: frozen, and read from the environment only on request."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        validate_by_name=True,
        hide_input_in_errors=True,
        env_prefix="CLIPMILL_",
        enable_decoding=False,
    )
    # Names of variables whose empty value differs from an unset one.
    MAY_BE_EMPTY: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_more: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from the constructor alone, so that a test or `serve` decides them all."""
        return (init_settings,)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], **values: Any) -> Self:
        """Return the settings that an environment describes.

        Args:
            environ: Environment variables, usually `os.environ`.
            values: Fields that do not come from a single variable.

        Raises:
            InvalidSettings: A variable is missing, is malformed or has an unsafe value.
        """
        source = EnvSettingsSource(cls)
        source.env_vars = {
            name.lower(): text.strip()
            for name, text in environ.items()
            if text.strip() or name in cls.MAY_BE_EMPTY
        }
        try:
            return cls(**(source() | values))
        except ValidationError as error:
            raise InvalidSettings(cls._message(error)) from None

    @classmethod
    def _message(cls, error: ValidationError) -> str:
        first = error.errors()[0]
        if not first["loc"]:
            return str(first["msg"]).removeprefix("Value error, ")
        field, *steps = (str(step) for step in first["loc"])
        name = cls._variable(field) + "".join(f".{step}" for step in steps)
        if first["type"] == "missing":
            return f"{name} is not set"
        if first["type"] == "value_error":
            return f"{name}: {str(first['msg']).removeprefix('Value error, ')}"
        rule = RULES.get(first["type"], first["msg"]).format(**first.get("ctx", {}))
        return f"{name} is {repr(first['input'])[:SHOWN_CHARS]}: {rule}"

    @classmethod
    def _variable(cls, field: str) -> str:
        """Return the variable of a field; pydantic names a field by its alias if it has one."""
        prefix = cls.model_config.get("env_prefix", "")
        return f"{prefix}{field.upper()}" if field in cls.model_fields else field
