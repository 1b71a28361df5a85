"""The audio crossfade: each curve by its level in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

import clipmaker
from clipmill.ffmpeg.segment_args import CURVES, segment_args
from clipmill.protocol import Profile, Segment, SourceRange
from clipmill.spec import Curve, TransitionType

PROFILE = Profile(width=128, height=72, rate=30, crf=30, speed="ultrafast", max_bitrate=1_000_000)
MIDDLE = {
    Curve.EQUAL_POWER: 2**0.5,
    Curve.LINEAR: 1,
    Curve.SMOOTH: 1,
    Curve.EXPONENTIAL: 0.006,
}


@pytest.fixture(scope="module")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 2 s of a tone with whole periods per second, so that both halves are in phase."""
    return clipmaker.clip(
        tmp_path_factory.mktemp("tone") / "a.mkv", size="128x72", extra=("-c:a", "flac")
    )


@pytest.mark.parametrize("curve", Curve)
def test_level_in_the_middle(curve: Curve, tone: Path, tmp_path: Path) -> None:
    """A tone fades into itself: its level in the middle follows the curve."""
    sources = [
        SourceRange(
            media_id="m-test", sha256="", format="matroska", has_audio=True, start=at, frames=30
        )
        for at in (0, 30)
    ]
    segment = Segment(
        key="0" * 64,
        sources=sources,
        transition=TransitionType.FADE,
        curve=curve,
        profile=PROFILE,
    )
    out = tmp_path / "a.mov"
    clipmaker.ffmpeg(*segment_args(segment, [str(tone)] * 2, str(out)))
    samples = clipmaker.samples(out)
    assert len(samples) == 48_000
    start, middle, end = (max(samples[at : at + 120]) for at in (0, 23_940, 47_880))
    assert middle / start == pytest.approx(MIDDLE[curve], abs=0.03)
    assert end / start == pytest.approx(1, abs=0.06)


def test_every_curve_is_one_of_ffmpegs() -> None:
    """Each curve of the spec has a name in ffmpeg."""
    assert set(CURVES) == set(Curve) == set(MIDDLE)
