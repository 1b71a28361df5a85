"""`clipmill render` of the sample with every feature: frames, audio samples and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import everything
import everything_expected
from clipmill.protocol import TierView, UserView
from clipmill_cli.local.local_api import LOCAL_OWNER, LocalAPI
from clipmill_client.client import Client
from commandline import clipmill


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local library with the sample's media, a tier with a watermark, and two manifests."""
    path = tmp_path_factory.mktemp("work")
    with LocalAPI(path / "state") as api:
        keys = json.loads((path / "state" / "keys.json").read_text())
        with Client(api.url, keys["admin"]) as client:
            client.admin.put_tier(TierView(name="Marked", **everything.TIER))
            client.admin.put_user(UserView(name=LOCAL_OWNER, tier="Marked"))
        whole = everything.filled(everything.upload(api.user, path), everything.FETCHED)
    for name, manifest in (("whole", whole), ("small", everything.small(whole))):
        (path / f"{name}.yaml").write_text(yaml.safe_dump(manifest))
    return path


def test_all_features_at_once(folder: Path) -> None:
    """Frames, audio, chapters and credits are as the manifest says."""
    out, state = folder / "out", folder / "state"
    done = clipmill("render", folder / "small.yaml", "-o", out, "--state", state)
    assert done.code == 0, done
    outputs = json.loads((out / "report.json").read_text())["outputs"]
    everything_expected.check(
        {output["name"]: out / output["files"]["video"] for output in outputs}
    )
    credits = (out / "main-credits.txt").read_text()
    for name in ("Grace O'Hara", "Baldur's Gate 3", "Night drive", "CC BY 4.0"):
        assert name in credits
    assert (out / "main-chapters.txt").read_text().startswith("0:00 Intro\n")


def test_each_output_has_the_profile_of_its_preset(folder: Path) -> None:
    """Sizes, rates and frames of the full-size plan; no crossfade is shortened."""
    done = clipmill("plan", folder / "whole.yaml", "--state", folder / "state", "-o", "json")
    assert done.code == 0, done
    outputs = {output["name"]: output for output in json.loads(done.out)["outputs"]}
    profiles = {name: output["profile"] for name, output in outputs.items()}
    sizes = {
        name: (profile["width"], profile["height"], profile["rate"])
        for name, profile in profiles.items()
    }
    assert sizes == {
        "main": (1920, 1080, 30),
        "short": (1080, 1920, 30),
        "feed": (1080, 1080, 30),
        "stacked": (1080, 1920, 30),
        "web": (854, 480, 25),
    }
    assert outputs["main"]["frames"] == everything.FRAMES
    notes = [note for output in outputs.values() for note in output["notes"]]
    assert [note.partition(":")[0] for note in notes] == ["chapters"], "too short for YouTube"
