"""Reading of settings: what every program understands, and how it refuses the rest."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from clipmill.environment import EnvironmentSettings, FromJson, InvalidSettings, Words


class Nested(BaseModel):
    """A field that is written as JSON."""

    size: int = 1


class Example(EnvironmentSettings):
    """One field of each sort."""

    key: str = Field("unset", repr=False)
    flag: bool = False
    count: int = Field(3, ge=1, le=9)
    lease_s: int = Field(60, ge=1, validation_alias="CLIPMILL_LEASE_SECONDS")
    hosts: Words = ()
    encoder: Literal["cpu", "nvenc"] = "cpu"
    nested: Annotated[Nested, FromJson] = Nested()

    @field_validator("key")
    @classmethod
    def _refuse_short(cls, key: str) -> str:
        if len(key) < 3:
            raise ValueError("at least 3 characters are required")
        return key


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        (("1", "true", "True", "yes", "YES", "on", " true "), True),
        (("0", "false", "no", "off", "", "  "), False),
    ],
)
def test_booleans(texts: tuple[str, ...], value: bool) -> None:
    """The usual spellings of true and false are understood; empty is the default."""
    for text in texts:
        assert Example.from_environ({"CLIPMILL_FLAG": text}).flag is value, text


def test_values_of_each_sort() -> None:
    """Text, numbers, lists and JSON; a variable may differ from the field's name."""
    environ = {
        "CLIPMILL_KEY": "secret",
        "CLIPMILL_COUNT": "9",
        "CLIPMILL_LEASE_SECONDS": "5",
        "CLIPMILL_HOSTS": " a.example, b.example\nc.example,",
        "CLIPMILL_NESTED": '{"size": 2}',
        "CLIPMILL_OF_ANOTHER_PROGRAM": "x",
    }
    settings = Example.from_environ(environ)
    assert (settings.key, settings.count, settings.lease_s) == ("secret", 9, 5)
    assert settings.hosts == ("a.example", "b.example", "c.example")
    assert settings.nested == Nested(size=2)
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "text", "rule"),
    [
        ("FLAG", "perhaps", "true and false"),
        ("COUNT", "0", "1"),
        ("COUNT", "10", "9"),
        ("COUNT", "2.5", "whole number"),
        ("LEASE_SECONDS", "soon", "whole number"),
        ("ENCODER", "gpu", "'cpu' or 'nvenc'"),
        ("NESTED", "{", "JSON"),
    ],
)
def test_a_refusal_names_variable_value_and_rule(variable: str, text: str, rule: str) -> None:
    """One message in one form, whichever program refuses."""
    with pytest.raises(InvalidSettings) as error:
        Example.from_environ({f"CLIPMILL_{variable}": text})
    message = str(error.value)
    assert message.startswith(f"CLIPMILL_{variable}")
    assert rule in message
    assert variable == "NESTED" or repr(text) in message


def test_a_secret_is_not_shown() -> None:
    """A refused key appears in no message."""
    with pytest.raises(InvalidSettings) as error:
        Example.from_environ({"CLIPMILL_KEY": "zz"})
    assert "zz" not in str(error.value)
    with pytest.raises(ValidationError) as direct:
        Example(key="zz")
    assert "zz" not in str(direct.value)


def test_the_constructor_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only `from_environ` reads variables, and only those that it is given."""
    monkeypatch.setenv("CLIPMILL_COUNT", "9")
    assert Example().count == Example.from_environ({}).count == 3
