"""docs/shows.md: its blocks are valid, and its tables list every reason."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from clipmill.shows.selection import ExclusionReason
from clipmill.shows.show_messages import SkipReason
from clipmill.shows.show_spec import ShowManifest, ShowSpec
from clipmill.shows.template_texts import BUILT_IN
from manifests import ROOT

PAGE = (ROOT / "docs/shows.md").read_text()
BLOCKS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
BASE = {"schedule": "0 18 * * FRI", "sources": [{"library": {}}]}


def test_the_manifest_is_valid() -> None:
    """The first block is a whole Show."""
    assert ShowManifest.model_validate(BLOCKS[0]).metadata.name == "chess-weekly"


@pytest.mark.parametrize("block", BLOCKS[1:], ids=lambda block: next(iter(block)))
def test_blocks_are_parts_of_a_spec(block: dict[str, Any]) -> None:
    """Each sets fields of the spec."""
    assert ShowSpec.model_validate({**BASE, **block})


def test_every_reason_is_listed() -> None:
    """Of candidates that are not taken, and of episodes without a video."""
    rows = "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", rows)) == {*ExclusionReason, *SkipReason}


def test_every_built_in_parameter_is_listed() -> None:
    """By its name."""
    assert set(BUILT_IN) <= set(re.findall(r"`\$\{(\w+)\}`", PAGE))
