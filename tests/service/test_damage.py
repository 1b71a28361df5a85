"""Damage harms the clips that play it: pictures are judged when they are rendered."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import av
import pytest

import clipmaker
from clipmill.protocol import ClipState, CompilationState, CompilationView, ExitCode, Stage
from clipmill_client import PermanentError
from harness import Harness
from studio import Studio, run

KEY_FRAMES = ("-g", "30", "-bf", "0", "-movflags", "+faststart")
FADE = {"type": "Fade", "duration": "500ms"}


@pytest.fixture
def studio(api: Harness, tmp_path: Path) -> Studio:
    """An owner with a library."""
    return Studio(api, tmp_path)


@pytest.fixture
def damaged(studio: Studio, tmp_path: Path) -> str:
    """Media of six seconds, the pictures of whose fourth and fifth second are noise."""
    path = clipmaker.clip(tmp_path / "damaged.mp4", seconds=6, extra=KEY_FRAMES)
    _spoil(path, 3, 5)
    return studio.upload(path)


def _spoil(path: Path, start_s: float, end_s: float) -> None:
    with av.open(str(path)) as container:
        places = [
            (packet.pos, packet.size)
            for packet in container.demux(video=0)
            if packet.size and start_s <= float(packet.pts * packet.time_base) < end_s
        ]
    data = bytearray(path.read_bytes())
    for at, size in places:
        # The length and the kind of the unit stay, so that the packet reaches the decoder.
        data[at + 8 : at + size] = random.Random(at).randbytes(size - 8)
    path.write_bytes(data)


def _render(studio: Studio, **spec: Any) -> tuple[list[int], CompilationView]:
    uid, _ = studio.api.register(studio.owner, spec)
    codes: list[int] = []
    while studio.api.operator.plan(uid).state is CompilationState.RENDERING and len(codes) < 4:
        codes.append(run(studio.api, uid, Stage.ASSEMBLE))
    return codes, studio.api.operator.view(uid)


def _frame_count(studio: Studio, view: CompilationView) -> int:
    path = studio.folder / "video.mp4"
    studio.user.download_output(view.id, "main", path)
    return len(clipmaker.frames(path))


def test_damage_outside_the_trim_harms_nobody(studio: Studio, damaged: str) -> None:
    """Before and after it, all frames play; a whole check of the file says what is wrong."""
    clips = [
        {"mediaId": damaged, "end": "2s"},
        {"mediaId": damaged, "start": "5s", "transition": FADE},
    ]
    codes, view = _render(studio, clips=clips)
    assert (codes, view.degraded) == ([ExitCode.OK], False)
    assert _frame_count(studio, view) == 75
    with pytest.raises(PermanentError) as refused:
        studio.user.validate_media(damaged)
    assert refused.value.code == "Damaged"


@pytest.mark.parametrize(("on_error", "count"), [("Skip", 60), ("Placeholder", 150)])
def test_damage_inside_skips_the_clip(
    on_error: str, count: int, studio: Studio, damaged: str, two_seconds: Path
) -> None:
    """Only the clip that plays it; the others of the same file remain."""
    clips = [
        {"name": "whole", "mediaId": damaged, "end": "2s"},
        {"name": "bad", "mediaId": damaged, "start": "2s", "end": "5s"},
    ]
    codes, view = _render(studio, clips=clips, onClipError=on_error)
    assert codes == [ExitCode.RETRY, ExitCode.OK]
    assert [clip.state for clip in view.clips] == [ClipState.READY, ClipState.SKIPPED]
    assert (view.clips[1].reason, view.degraded) == ("Damaged", True)
    assert "of 90 video frames cannot be decoded" in str(view.clips[1].message)
    assert _frame_count(studio, view) == count


def test_of_a_transition_only_the_damaged_clip_is_skipped(
    studio: Studio, damaged: str, two_seconds: Path
) -> None:
    """Not its neighbour."""
    good = studio.upload(two_seconds)
    clips = [{"mediaId": good}, {"mediaId": damaged, "start": "3s", "transition": FADE}]
    codes, view = _render(studio, clips=clips)
    assert codes == [ExitCode.RETRY, ExitCode.OK]
    assert [clip.reason for clip in view.clips] == [None, "Damaged"]


def test_damage_fails_where_it_shall(studio: Studio, damaged: str) -> None:
    """By onClipError, and where no clip is the cause."""
    clips = [{"mediaId": damaged}]
    codes, view = _render(studio, clips=clips, onClipError="Fail")
    assert (codes, view.reason) == ([ExitCode.RETRY], "ClipFailed")
    whole = [{"mediaId": damaged, "end": "2s"}]
    codes, view = _render(studio, clips=whole, intro={"mediaId": damaged})
    assert (codes, view.reason) == ([ExitCode.GIVE_UP], "Damaged")
    assert "intro" in str(view.message)
