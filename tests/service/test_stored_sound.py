"""Encoded stretches of sound are stored by a first run, and used by an edit of the same length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipmaker
import levels
from clipmill.protocol import CompilationState, Stage
from clipmill.sound.sound_levels import SoundLevels
from clipmill_job.__main__ import main
from clipmill_job.rendering.attached_levels import attached
from harness import Harness, library_clip, running

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
OUTPUT = {"name": "main", "preset": "custom", "width": 64, "height": 64, "rate": 25}
SECONDS = 60


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API."""
    with running(tmp_path_factory.mktemp("state")) as harness:
        yield harness


def _assemble(api: Harness, uid: str, generation: int) -> None:
    key = api.operator.create_key(uid, Stage.ASSEMBLE, generation)
    environment = {"CLIPMILL_API_URL": api.url, "CLIPMILL_API_KEY": key}
    main({**environment, "JOB_COMPLETION_INDEX": "0"})
    view = api.operator.view(uid)
    assert view.state is CompilationState.SUCCEEDED, view.message


def _spec(media_id: str, starts: list[int]) -> dict[str, Any]:
    clips = [{"mediaId": media_id, "start": f"{s}s", "end": f"{s + 20}s"} for s in starts]
    return {"clips": clips, "outputs": [OUTPUT]}


def _segments(api: Harness, owner: str) -> dict[str, str]:
    sql = "SELECT key, sha256 FROM segments WHERE owner = :o"
    return {row["key"]: row["sha256"] for row in api.rows(sql, o=owner)}


def _sound(api: Harness, owner: str, uid: str, path: Path) -> levels.Sound:
    user = api.client(api.admin.create_key(owner))
    user.download_output(api.operator.view(uid).id, "main.mp4", path)
    return levels.decoded(path)


def test_an_edit_encodes_what_changed(local: Harness, tmp_path: Path) -> None:
    """The first stretch keeps its bytes; the sound is as loud, and as long, after the edit."""
    clip = clipmaker.clip(tmp_path / "a.mp4", seconds=50, rate="25", size="64x64")
    owner, user = local.user()
    media_id = library_clip(user, clip).id
    uid, _ = local.register(owner, _spec(media_id, [0, 10, 20]))
    _assemble(local, uid, 1)
    first = _segments(local, owner)
    assert len(first) == 3 + 2, "three clips, and 60 s in stretches of 22.4 s"
    before = _sound(local, owner, uid, tmp_path / "before.mp4")
    local.register(owner, _spec(media_id, [0, 10, 30]), uid=uid, generation=2)
    _assemble(local, uid, 2)
    second = _segments(local, owner)
    assert len(second) == len(first) + 1 + 1, "a clip and a stretch are new"
    assert {key: second[key] for key in first} == first
    after = _sound(local, owner, uid, tmp_path / "after.mp4")
    assert len(before) == len(after) == SECONDS * levels.RATE
    same = slice(0, 22 * levels.RATE)
    assert np.array_equal(before[same], after[same]), "the stored stretch plays again"
    assert levels.loudness(after) == pytest.approx(-14, abs=0.5)


def test_a_segment_holds_its_levels(local: Harness, tmp_path: Path) -> None:
    """The levels that a segment holds are those of its samples; readers skip them."""
    clip = clipmaker.clip(tmp_path / "a.mp4", seconds=3, rate="25", size="64x64")
    owner, user = local.user()
    spec = {"clips": [{"mediaId": library_clip(user, clip).id}], "outputs": [OUTPUT]}
    uid, _ = local.register(owner, spec)
    _assemble(local, uid, 1)
    (sha256,) = _segments(local, owner).values()
    local.ctx.store.copy_to(owner, sha256, tmp_path / "segment.mov")
    kept = attached(tmp_path / "segment.mov", SoundLevels)
    assert kept is not None
    assert len(kept.energies) == len(kept.peaks) == 3 * levels.RATE / kept.unit_samples
    sound = levels.decoded(tmp_path / "segment.mov")
    peak_db = 20 * np.log10(kept.peak)
    assert peak_db == pytest.approx(levels.true_peak_db(sound), abs=0.3)
