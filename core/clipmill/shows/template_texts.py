"""Fill `${parameter}` in the texts of a template: its title, overlay texts and music credit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from clipmill.spec.compilation import CompilationTemplate
from clipmill.spec.input_rules import input_rule

# The longest value of each built-in parameter: texts are checked with these.
BUILT_IN = {
    "show": "x" * 63,
    "number": "999999",
    "date": "2027-12-31",
    "year": "2027",
    "month": "September",
    "week": "53",
    "clips": "500",
}
# `$${` stands for `${` itself.
_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_CREDIT_TEXTS = ("title", "artist", "license")


def check_template(template: CompilationTemplate, parameters: Mapping[str, str]) -> None:
    """Check that each placeholder has a value, and that no text becomes too long.

    Raises:
        ValueError: A placeholder is unknown, a parameter has the name of a built-in one, or a
            filled text is not valid. The message names the field and the parameter.
    """
    if hidden := sorted(BUILT_IN.keys() & parameters.keys()):
        raise ValueError(f"parameters.{hidden[0]}: the name is that of a built-in parameter")
    fill_template(template, {**parameters, **BUILT_IN})


def fill_template(template: CompilationTemplate, values: Mapping[str, str]) -> CompilationTemplate:
    """Return a template whose texts hold the values of their placeholders.

    Raises:
        ValueError: A placeholder has no value, or a filled text is not valid.
    """
    document = deepcopy(template.model_dump(mode="json", by_alias=True, exclude_unset=True))
    for holder, key, field in _texts(document):
        holder[key] = fill_text(holder[key], values, field)
    try:
        return CompilationTemplate.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        rule = input_rule(dict(first), first["loc"], CompilationTemplate)
        raise ValueError(f"template.{place}: {rule} with its parameters filled in") from None


def fill_text(text: str, values: Mapping[str, str], field: str) -> str:
    """Return a text with the values of its placeholders. Values are not filled themselves."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        if match[1] is None:
            raise ValueError(
                f"{field}: '${{' has no '}}'; write $${{ for the characters themselves"
            )
        if match[1] not in values:
            names = ", ".join(sorted(values))
            raise ValueError(f"{field}: unknown parameter {match[1][:60]!r}; there are {names}")
        return values[match[1]]

    return _PLACEHOLDER.sub(value, text)


def _texts(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Return (dict, key, field) of each text that may hold placeholders."""
    overlays = [(o, "text", f"template.overlays.{i}.text") for i, o in _numbered(document)]
    credit = (document.get("music") or {}).get("credit") or {}
    credits = [(credit, key, f"template.music.credit.{key}") for key in _CREDIT_TEXTS]
    for holder, key, field in [(document, "title", "template.title"), *overlays, *credits]:
        if holder.get(key):
            yield holder, key, field


def _numbered(document: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    return iter(enumerate(document.get("overlays") or []))
