"""Times as people type them, in YAML and in JSON, become the canonical form."""

from __future__ import annotations

from typing import Any

import pytest
import typer
import yaml
from pydantic import ValidationError

from clipmill.spec import Clip, CompilationSpec, parse_duration
from clipmill_cli.commands import admin_commands

# A value as it stands in YAML, its canonical form, and its length in seconds.
TYPED = [
    ("90s", "90s", 90),
    ("1m30s", "1m30s", 90),
    ("500ms", "500ms", 0.5),
    ("'1:30'", "1m30s", 90),
    # YAML 1.1 reads this as the number 90.
    ("1:30", "90s", 90),
    ("0:01:30.5", "90.5s", 90.5),
    ("'0:01:30.5'", "0h01m30.5s", 90.5),
    ("1:02:03", "3723s", 3723),
    ("0:07", "0m07s", 7),
    ("90:00", "5400s", 5400),
    ("1.5", "1.5s", 1.5),
    ("90", "90s", 90),
    ("'90'", "90s", 90),
    ("0", "0s", 0),
    ("0.1", "0.1s", 0.1),
]
REFUSED = [
    "-5",
    "-0.5",
    ".nan",
    ".inf",
    "true",
    "'1:60'",
    "'1:61:00'",
    "1h:30",
    "'1:2:3:4'",
    "' 5s'",
]


@pytest.mark.parametrize(("text", "canonical", "seconds"), TYPED)
def test_typed(text: str, canonical: str, seconds: float) -> None:
    """The canonical form is kept, has the same length, and is its own canonical form."""
    clip = Clip.model_validate({"mediaId": "m-abcd", "start": yaml.safe_load(text)})
    assert clip.start == canonical
    assert float(parse_duration(canonical)) == pytest.approx(seconds)
    again = Clip.model_validate(clip.model_dump(by_alias=True, exclude_none=True))
    assert again.start == canonical


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    """What is no time is refused, and the field is named."""
    with pytest.raises(ValidationError) as refused:
        Clip.model_validate({"mediaId": "m-abcd", "start": yaml.safe_load(text)})
    assert [error["loc"] for error in refused.value.errors()] == [("start",)]


def _durations(value: Any) -> Any:
    """Return a spec in which every `5s` is written as `0:05`."""
    if isinstance(value, dict):
        return {key: _durations(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_durations(item) for item in value]
    return "0:05" if value == "5s" else value


def test_everywhere() -> None:
    """Each field that takes a duration takes it as typed."""
    spec = {
        "clips": [
            {
                "mediaId": "m-abcd",
                "end": "5s",
                "overlays": [{"text": "a", "end": "5s", "fade": "5s"}],
            },
            {"mediaId": "m-abcd", "transition": {"type": "Fade", "duration": "5s"}},
        ],
        "maxClipDuration": "5s",
        "creatorCard": {"start": "5s", "duration": "5s", "fade": "5s"},
        "music": {"mediaId": "m-song", "fadeOut": "5s", "duck": {"release": "5s"}},
    }
    typed = CompilationSpec.model_validate(_durations(spec))
    parsed = CompilationSpec.model_validate(spec)
    assert typed.model_dump_json().replace("0m05s", "5s") == parsed.model_dump_json()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("none", None),
        ("6h", 21_600),
        ("90m", 5_400),
        ("1H30M", 5_400),
        ("0", 0),
    ],
)
def test_on_the_command_line(text: str, seconds: int | None) -> None:
    """A tier's render limit is a length with its units."""
    assert admin_commands.parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["6", "1:30", "1:30:00", "6 h", "", "-1h"])
def test_a_render_limit_needs_its_unit(text: str) -> None:
    """`--render-limit 6` was six seconds."""
    with pytest.raises(typer.BadParameter) as refused:
        admin_commands.parse_seconds(text)
    assert "6h" in str(refused.value)
