"""The arguments for ffmpeg: what they must contain and what they must not contain."""

from __future__ import annotations

import pytest

from clipmill.ffmpeg.ebur128 import Loudness
from clipmill.ffmpeg.level_meter import LevelFiles
from clipmill.ffmpeg.programme_loudness import (
    AudioFormat,
    EncodedRange,
    GainSetting,
    audio_encode_args,
    first_ceiling,
    ideal_gain,
    next_ceiling,
    next_gain,
)
from clipmill.ffmpeg.segment_args import seek_s, segment_args
from clipmill.protocol import PictureTraits, Profile, Segment, SourceRange
from clipmill.spec import TransitionType

PROFILE = Profile(width=1920, height=1080, rate=30, crf=19, speed="veryfast", max_bitrate=8_000_000)


def _source(start: int, demuxer: str = "mov", *, sound: bool = True) -> SourceRange:
    return SourceRange(
        media_id="m-abcd", sha256="0", format=demuxer, has_audio=sound, start=start, frames=45
    )


def _args(*sources: SourceRange, kind: TransitionType = TransitionType.NONE) -> tuple[str, ...]:
    segment = Segment(key="0" * 64, sources=list(sources), transition=kind, profile=PROFILE)
    return segment_args(segment, [f"/s/{i}.mp4" for i in range(len(sources))], "/s/out.mov")


@pytest.mark.parametrize(
    ("start", "seek"), [(0, 0), (7, 0), (37, 0), (38, 1), (60, 1), (68, 2), (900, 29)]
)
def test_seeks_to_a_whole_second_with_a_lead(start: int, seek: int) -> None:
    """Whole seconds keep the grid; the decoders have a quarter of a second to settle."""
    assert seek_s(start, 30) == seek
    assert start == 0 or seek == 0 or start - seek * 30 >= 8


@pytest.mark.parametrize(
    ("source", "inputs", "seeks"),
    [
        (_source(0), 1, 0),
        (_source(90), 2, 1),
        (_source(90, sound=False), 1, 1),
        (_source(90, "mpegts"), 1, 0),
        (_source(30 * 700), 1, 1),
    ],
)
def test_inputs_of_a_source(source: SourceRange, inputs: int, seeks: int) -> None:
    """The picture is seeked, the sound is read from the start; a stream is never seeked."""
    args = _args(source)
    assert (args.count("-i"), args.count("-ss")) == (inputs, seeks)


@pytest.mark.parametrize(
    ("demuxer", "changes", "ends"),
    [
        ("mov", {"audio_changes_form": True}, ["5.500"]),
        ("mpegts", {"audio_changes_form": True}, ["5.500"]),
        ("mov", {"traits": PictureTraits(changes_shape=True)}, ["3.500"]),
        ("mov", {}, []),
    ],
)
def test_a_conversion_ends_with_its_range(
    demuxer: str, changes: dict[str, object], ends: list[str]
) -> None:
    """A second after the range at the latest; sound is read from the start, pictures from 2 s."""
    args = _args(_source(90, demuxer).model_copy(update=changes))
    assert [args[i + 1] for i, argument in enumerate(args) if argument == "-t"] == ends


def test_every_input_is_restricted() -> None:
    """Each input allows one demuxer and the file protocol only."""
    args = _args(_source(90), _source(0, "matroska"), kind=TransitionType.FADE)
    count = args.count("-i")
    assert count == 3
    for option in ("-format_whitelist", "-protocol_whitelist", "-max_pixels"):
        assert args.count(option) == count
    assert all(args[i + 1] == "file" for i, a in enumerate(args) if a == "-protocol_whitelist")
    assert all(args[i + 1].startswith("file:/s/") for i, a in enumerate(args) if a == "-i")


def test_a_graph_holds_no_path() -> None:
    """Paths are arguments of their own, so that a colon in one cannot become a filter."""
    args = _args(_source(90))
    assert "/s/" not in args[args.index("-filter_complex") + 1]


@pytest.mark.parametrize(
    ("programme", "gain", "ceiling"),
    [
        (Loudness(None, -20.0), 0.0, None),
        (Loudness(-20.0, -10.0), 6.0, None),
        (Loudness(-20.04, -10.0), 6.0, None),
        (Loudness(-24.0, -10.0), 10.0, -1.7),
        (Loudness(-60.0, -50.0), 30.0, None),
    ],
)
def test_one_gain_and_a_limiter_only_where_peaks_need_it(
    programme: Loudness, gain: float, ceiling: float | None
) -> None:
    """Silence has gain 0, hiss is not raised to full level, low peaks need no limiter."""
    assert ideal_gain(programme, -14) == gain
    assert first_ceiling(programme.peak_dbtp or 0, gain, -1) == ceiling


# Pairs of (gain up to, loudness of the encoded file).
LEAPS = ((0.5, -14.7), (0.7, -14.5), (1.0, -14.1), (99, -13.5))


@pytest.mark.parametrize(
    ("lufs", "better"), [(-14.2, None), (None, None), (-15.0, 11.0), (-13.0, 9.0)]
)
def test_corrects_what_limiter_and_codec_did(lufs: float | None, better: float | None) -> None:
    """Lost loudness is added."""
    assert next_gain([10.0], Loudness(lufs, -1.0), -14) == better


@pytest.mark.parametrize(
    ("last", "peak", "better"), [(None, -1.2, None), (None, -0.5, -1.7), (-1.7, -0.5, -2.3)]
)
def test_a_peak_beyond_the_limit_lowers_the_ceiling(
    last: float | None, peak: float, better: float | None
) -> None:
    """A stretch without limiter gets one; one with a limiter gets a lower ceiling."""
    assert next_ceiling(last, peak, -1) == better


def test_a_codec_that_answers_in_leaps_converges() -> None:
    """AAC of white noise: full corrections would oscillate between -14.5 and -13.5."""
    tried: list[float] = [-0.1]
    for _ in range(6):
        lufs = next(lufs for limit, lufs in LEAPS if tried[-1] < limit)
        better = next_gain(tried, Loudness(lufs, -5.0), -14)
        if better is None:
            break
        tried.append(better)
    assert lufs == -14.1


def test_sound_is_encoded_at_its_exact_length() -> None:
    """The file has exactly the samples of its frames, whatever the delay of the filters."""
    limited = GainSetting(3.0, -1.7)
    args = audio_encode_args(
        "/s/a.f32",
        "/s/a.mka",
        encoded=EncodedRange(4800, 0, 4800),
        setting=limited,
        audio_format=AudioFormat(),
        levels=LevelFiles("a", 4800),
    )
    chain = args[args.index("-af") + 1]
    assert chain.startswith("volume=3.00dB")
    assert "alimiter" in chain
    assert chain.endswith("apad,atrim=end_sample=4800")
