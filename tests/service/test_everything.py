"""The sample with every feature by `clipmill render`: its frames, its samples, its files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import everything
import everything_expected
from clipmill.protocol import TierView, UserView
from clipmill_cli.local.local_api import OWNER, LocalAPI
from clipmill_client.client import Client
from commandline import clipmill


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The media in a local library of an owner whose tier has a watermark; both manifests."""
    found = tmp_path_factory.mktemp("work")
    with LocalAPI(found / "state") as api:
        keys = json.loads((found / "state" / "keys.json").read_text())
        with Client(api.url, keys["admin"]) as client:
            client.admin.put_tier(TierView(name="Marked", **everything.TIER))
            client.admin.put_user(UserView(name=OWNER, tier="Marked"))
        whole = everything.filled(everything.upload(api.user, found), everything.FETCHED)
    for name, manifest in (("whole", whole), ("small", everything.small(whole))):
        (found / f"{name}.yaml").write_text(yaml.safe_dump(manifest))
    return found


def test_all_features_at_once(folder: Path) -> None:
    """Looked at frame by frame and heard; with chapters and credits as text."""
    out, state = folder / "out", folder / "state"
    said = clipmill("render", folder / "small.yaml", "-o", out, "--state", state)
    assert said.code == 0, said
    outputs = json.loads((out / "report.json").read_text())["outputs"]
    everything_expected.check(
        {output["name"]: out / output["files"]["video"] for output in outputs}
    )
    credits = (out / "main-credits.txt").read_text()
    for said in ("Grace O'Hara", "Baldur's Gate 3", "Night drive", "CC BY 4.0"):
        assert said in credits
    assert (out / "main-chapters.txt").read_text().startswith("0:00 Intro\n")


def test_as_it_stands_each_output_has_the_form_of_its_preset(folder: Path) -> None:
    """Planned in full size: sizes, rates, frames, and no crossfade that had to be shortened."""
    said = clipmill("plan", folder / "whole.yaml", "--state", folder / "state", "-o", "json")
    assert said.code == 0, said
    outputs = {output["name"]: output for output in json.loads(said.out)["outputs"]}
    forms = {
        name: (one["profile"]["width"], one["profile"]["height"], one["profile"]["rate"])
        for name, one in outputs.items()
    }
    assert forms == {
        "main": (1920, 1080, 30),
        "short": (1080, 1920, 30),
        "feed": (1080, 1080, 30),
        "stacked": (1080, 1920, 30),
        "web": (854, 480, 25),
    }
    assert outputs["main"]["frames"] == everything.FRAMES
    notes = [note for output in outputs.values() for note in output["notes"]]
    assert [note.partition(":")[0] for note in notes] == ["chapters"], "too short for YouTube"
