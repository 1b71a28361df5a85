"""What to write in place of a value that a model refuses, for each kind of error of pydantic.

Command line, API and operator show the same sentence for the same mistake.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from clipmill.spec.delivery import PATH_PATTERN, PLACEHOLDERS

Steps = Sequence[str | int]
MAX_SHOWN_CHARS = 60
# How each mapping is written, by the name of its model.
EXAMPLES = {
    "Asset": "{mediaId: m-1a2b3c}, or {url: intro.mp4} for a local file",
    "Audio": "{loudness: -14LUFS, truePeak: -1dBTP}",
    "Bumper": "{mediaId: m-1a2b3c, placement: Between}",
    "Clip": "{url: opener.mp4}",
    "ClipAudio": "{gain: -6dB, mute: false}",
    "ClipCredit": "{creator: Ada, game: Chess}",
    "CompilationSpec": "{clips: [{url: opener.mp4}]}",
    "CreatorCard": "{show: true, start: 3s, duration: 7s}",
    "Delivery": "{credential: my-bucket, path: '{name}/{date}'}",
    "Ducking": "{threshold: -30dB, ratio: 8}",
    "Focus": "{left: 30, top: 50}",
    "Metadata": "{name: friday}",
    "Music": "{mediaId: m-1a2b3c, gain: -12dB}",
    "MusicCredit": "{title: Song, artist: Ada}",
    "Output": "{name: main, preset: youtube}",
    "Overlay": "{text: Hello, position: Bottom}",
    "Select": "{window: 7d, most: 12}",
    "ShowSource": "{feed: {url: https://example.org/clips.xml}}",
    "ShowSpec": "{schedule: 0 18 * * FRI, sources: [...]}",
    "Transition": "{type: Fade, duration: 500ms}",
    "TransitionClips": "{mediaIds: [m-1a2b3c]}",
}
# How each text is written, by its pattern. A person does not read regular expressions.
PATTERNS = {
    r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$": (
        "write lower-case letters, digits and dashes, at most 63; free text goes into title"
    ),
    r"^[a-z]-[a-z0-9]{4,40}$": "write an id such as m-1a2b3c, as `clipmill media list` shows it",
    r"^#[0-9A-Fa-f]{6}$": "write a colour as #RRGGBB in quotes, such as '#FF8000'",
    r"^-?[0-9]{1,2}(\.[0-9])?dB$": "write a level such as -6dB",
    r"^-[0-9]{1,2}(\.[0-9])?LUFS$": "write a loudness such as -14LUFS",
    r"^-[0-9](\.[0-9])?dBTP$": "write a true peak such as -1dBTP",
    PATH_PATTERN: (
        "write folders of letters, digits, dots, - and _, such as videos/{name}/{date}; none begins"
        f" with a dot, and placeholders are {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}"
    ),
    r"^[0-9a-f]{64}$": "write a SHA-256 in 64 hexadecimal digits",
}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True, slots=True)
class _Refused:
    """A refused value: the annotation of its field, and the values of the rule."""

    name: str
    annotation: Any
    field: FieldInfo | None
    value: Any
    context: Mapping[str, Any]
    message: str


def input_rule(error: Mapping[str, Any], steps: Steps, root: Any = None) -> str:
    """Return what is allowed in place of a refused value, as the end of an error line.

    Args:
        error: One entry of `ValidationError.errors()`.
        steps: Where the value is, from the root.
        root: Model or annotation that was validated; without it the sentence is less specific.
    """
    annotation, field = _annotation_at(root, steps)
    refused = _Refused(
        name=str(steps[-1]) if steps else "",
        annotation=annotation,
        field=field,
        value=error.get("input"),
        context=error.get("ctx") or {},
        message=str(error["msg"]).removeprefix("Value error, ").replace(" after validation", ""),
    )
    if error["type"] == "extra_forbidden":
        return f"unknown field; {suggestion(root, steps)}"
    rule = _RULES.get(error["type"])
    return rule(refused) if rule else refused.message


def suggestion(root: Any, steps: Steps) -> str:
    """Return `did you mean end?` for an unknown field, or the names of all known fields."""
    model = _model_in(_annotation_at(root, steps[:-1])[0])
    names = [field.alias or name for name, field in model.model_fields.items()] if model else []
    close = get_close_matches(str(steps[-1])[:MAX_SHOWN_CHARS], names, n=1, cutoff=0.65)
    return f"did you mean {close[0]}?" if close else f"known fields: {', '.join(names)}"


def _annotation_at(root: Any, steps: Steps) -> tuple[Any, FieldInfo | None]:
    """Return the annotation of a value, and its field if it is one of a model."""
    annotation, field = root, None
    for step in steps:
        if isinstance(step, int):
            annotation, field = _item_of(annotation), None
            continue
        model = _model_in(annotation)
        fields = model.model_fields if model else {}
        field = next((f for name, f in fields.items() if step in (name, f.alias)), None)
        annotation = field.annotation if field else None
    return annotation, field


def _options(annotation: Any) -> list[Any]:
    """Return the alternatives of `X | None`, without None and without metadata."""
    if get_origin(annotation) is Annotated:
        return _options(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [option for part in get_args(annotation) for option in _options(part)]
    return [] if annotation in (None, type(None)) else [annotation]


def _item_of(annotation: Any) -> Any:
    lists = [option for option in _options(annotation) if get_origin(option) in (list, tuple)]
    return get_args(lists[0])[0] if lists else None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    models = [o for o in _options(annotation) if isinstance(o, type) and issubclass(o, BaseModel)]
    return models[0] if models else None


def _allowed_values(annotation: Any) -> list[str]:
    """Return the values of an enumeration or a literal."""
    values: list[str] = []
    for option in _options(annotation):
        if get_origin(option) is Literal:
            values += [str(value) for value in get_args(option)]
        elif isinstance(option, type) and issubclass(option, Enum):
            values += [str(value.value) for value in option]
    return values


def _missing(refused: _Refused) -> str:
    values = _allowed_values(refused.annotation)
    if len(values) == 1:
        return f"required field is missing: write {refused.name}: {values[0]}"
    if values:
        return f"required field is missing: one of {', '.join(values)}"
    example = _example(refused.annotation)
    hint = f": write {refused.name}: {example}" if example and refused.name else ""
    return f"required field is missing{hint}"


def _example(annotation: Any) -> str:
    model, item = _model_in(annotation), _item_of(annotation)
    if item is not None:
        of_item = _example(item)
        return f"[{of_item}]" if of_item else "[a, b]"
    return EXAMPLES.get(model.__name__, "") if model else ""


def _mapping(refused: _Refused) -> str:
    example = _example(refused.annotation)
    if not example:
        model = _model_in(refused.annotation)
        names = [f.alias or name for name, f in model.model_fields.items()] if model else []
        return f"write a mapping of {', '.join(names)}" if names else "write a mapping"
    in_list = not refused.name or refused.name.isdecimal()
    return f"write - {example}" if in_list else f"write {refused.name}: {example}"


def _list(refused: _Refused) -> str:
    example = _example(refused.annotation)
    return f"write a list: {refused.name}: {example}" if example else "write a list"


def _choice(refused: _Refused) -> str:
    allowed = _allowed_values(refused.annotation) or _quoted(refused.context.get("expected", ""))
    by_lower = {value.lower(): value for value in allowed}
    text = str(refused.value)[:MAX_SHOWN_CHARS].lower()
    # Another number is not a slip of the finger.
    close = [] if text.isdecimal() else get_close_matches(text, by_lower, n=1, cutoff=0.5)
    if len(allowed) == 1:
        return f"write {allowed[0]}"
    listed = f"allowed are {', '.join(allowed)}"
    return f"did you mean {by_lower[close[0]]}? {listed}" if close else listed


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


def _text(refused: _Refused) -> str:
    pattern = _pattern_of(refused)
    return PATTERNS.get(pattern, "write a text; put it in quotes if it looks like a number")


def _pattern_of(refused: _Refused) -> str:
    """Return the pattern of the field, wherever its annotation keeps it."""
    metadata = list(refused.field.metadata) if refused.field else []
    for option in (refused.annotation, *get_args(refused.annotation)):
        if get_origin(option) is Annotated:
            metadata += [
                part
                for entry in get_args(option)[1:]
                for part in (entry.metadata if isinstance(entry, FieldInfo) else [entry])
            ]
    return next((str(p) for entry in metadata if (p := getattr(entry, "pattern", None))), "")


def _pattern(refused: _Refused) -> str:
    pattern = str(refused.context.get("pattern", ""))
    return PATTERNS.get(pattern, f"the value must match {pattern}")


def _bound(refused: _Refused) -> str:
    metadata = refused.field.metadata if refused.field else ()
    bounds = {
        name: getattr(entry, name) for entry in metadata for name in _BOUNDS if hasattr(entry, name)
    } or refused.context
    if "ge" in bounds and "le" in bounds:
        return f"allowed are {bounds['ge']} to {bounds['le']}"
    return " and ".join(f"{_BOUNDS[name]} {bounds[name]}" for name in _BOUNDS if name in bounds)


def _count(refused: _Refused) -> str:
    context = refused.context
    if "min_length" in context:
        return f"at least {context['min_length']} needed, {context.get('actual_length', 0)} given"
    return f"at most {context['max_length']} allowed, {context.get('actual_length', 'more')} given"


def _length(refused: _Refused) -> str:
    if "min_length" in refused.context:
        return f"at least {refused.context['min_length']} characters are needed"
    return f"at most {refused.context['max_length']} characters are allowed"


def _fixed(rule: str) -> Callable[[_Refused], str]:
    return lambda _: rule


_RULES: dict[str, Callable[[_Refused], str]] = {
    "missing": _missing,
    "model_type": _mapping,
    "model_attributes_type": _mapping,
    "dict_type": _mapping,
    "list_type": _list,
    "enum": _choice,
    "literal_error": _choice,
    "string_type": _text,
    "string_pattern_mismatch": _pattern,
    "string_too_long": _length,
    "string_too_short": _length,
    "too_long": _count,
    "too_short": _count,
    "greater_than_equal": _bound,
    "greater_than": _bound,
    "less_than_equal": _bound,
    "less_than": _bound,
    "multiple_of": lambda refused: f"write a multiple of {refused.context['multiple_of']}",
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_from_float"), _fixed("write a whole number such as 2")
    ),
    **dict.fromkeys(("float_type", "float_parsing"), _fixed("write a number such as 1.5")),
    **dict.fromkeys(("bool_type", "bool_parsing"), _fixed("write true or false")),
    "datetime_parsing": _fixed("write a time such as 2026-11-27T18:00:00Z"),
    "datetime_from_date_parsing": _fixed("write a time such as 2026-11-27T18:00:00Z"),
    "timezone_aware": _fixed("write a time with its zone, such as 2026-11-27T18:00:00Z"),
}
