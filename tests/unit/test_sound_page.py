"""The examples of docs/sound.md are parts of valid specs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from clipmill.protocol.companion_kinds import COMPANION_FILES
from clipmill.spec import CompilationSpec

PAGE = (Path(__file__).parents[2] / "docs/sound.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_example(text: str) -> None:
    """Taken as it stands, with a clip where it has none."""
    part: dict[str, Any] = yaml.safe_load(text)
    spec = CompilationSpec.model_validate({"clips": [{"mediaId": "m-0001"}], **part})
    assert spec.model_fields_set >= {"clips"}


def test_defaults_are_as_the_page_says() -> None:
    """What is called the default is it."""
    plain = CompilationSpec.model_validate(
        {"clips": [{"mediaId": "m-0001"}], "music": {"mediaId": "m-track7"}}
    )
    shown = yaml.safe_load(EXAMPLES[0])["audio"]
    assert plain.audio.model_dump(by_alias=True) == shown
    assert plain.music is not None
    music = yaml.safe_load(EXAMPLES[2])["music"]
    duck = plain.music.duck.model_dump(by_alias=True, exclude_none=True)
    assert duck == music["duck"]
    assert (plain.music.gain, plain.music.loop, plain.music.fade_out) == ("-12dB", True, "2s")


def test_every_file_is_on_the_page() -> None:
    """The table of files is that of the code."""
    for file in COMPANION_FILES:
        assert file.name("NAME") in PAGE
