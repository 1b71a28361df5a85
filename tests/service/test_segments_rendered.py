"""Segments rendered by ffmpeg: exactly the right frames and samples, from any source."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import pytest

import clipmaker
from clipmill.ffmpeg.segment_args import segment_args
from clipmill.protocol import Framing, Profile, Segment, SourceRange
from clipmill.spec import Fit, TransitionType
from clipmill.timeline.build import subrange
from clipmill_probe import Depth, probe_media

PROFILE = Profile(width=320, height=180, rate=30, crf=19, speed="ultrafast", max_bitrate=4_000_000)
BEEP_AT_S = 1.5
BEEP = f"aevalsrc='if(gte(t,{BEEP_AT_S}),sin(2*PI*1000*t)/4,0)':s=48000"
FLASH = f"nullsrc,geq=lum='if(gte(T,{BEEP_AT_S}),235,16)':cb=128:cr=128"


def _source(path: Path, start: int, frames: int, gain_mb: int = 0) -> SourceRange:
    facts = probe_media(path, depth=Depth.PACKETS)
    return SourceRange(
        media_id="m-test",
        sha256="",
        format=facts.format,
        has_audio=facts.audio_codec is not None,
        width=facts.width,
        height=facts.height,
        start=start,
        frames=frames,
        gain_mb=gain_mb,
    )


BLACK = SourceRange(media_id=None, sha256="", format="", has_audio=False, start=0, frames=12)


def _render(
    out: Path,
    *sources: tuple[SourceRange, Path | None],
    profile: Profile = PROFILE,
    fit: Fit = Fit.CONTAIN,
    kind: TransitionType = TransitionType.NONE,
) -> Path:
    ranges = [source.model_copy(update={"framing": Framing(fit=fit)}) for source, _ in sources]
    segment = Segment(key="0" * 64, sources=ranges, transition=kind, profile=profile)
    clipmaker.ffmpeg(*segment_args(segment, [str(p) if p else None for _, p in sources], str(out)))
    return out


def _is_exact(path: Path, frames: int, rate: int = 30) -> None:
    """Assert the number of frames, their times, and the number of samples."""
    assert clipmaker.frame_times(path) == [Fraction(i, rate) for i in range(frames)]
    assert len(clipmaker.samples(path)) == frames * 48000 // rate


def _clip(name: str, **options: object) -> Callable[[Path], Path]:
    return lambda folder: clipmaker.clip(folder / name, **options)  # type: ignore[arg-type]


def _two_sizes(folder: Path) -> Path:
    """Write a stream whose picture changes its size."""
    small = clipmaker.clip(folder / "small.ts", seconds=1)
    large = clipmaker.clip(
        folder / "large.ts", seconds=1, size="640x480", extra=("-output_ts_offset", "1")
    )
    (folder / "both.ts").write_bytes(small.read_bytes() + large.read_bytes())
    return folder / "both.ts"


def _late(folder: Path) -> Path:
    """Write a clip whose video starts half a second after its audio."""
    path = clipmaker.clip(folder / "plain.mkv")
    late = folder / "late.mkv"
    args = ("-i", str(path), "-itsoffset", "0.5", "-i", str(path))
    clipmaker.ffmpeg(*args, "-map", "1:v", "-map", "0:a", "-c", "copy", str(late))
    return late


UNEVEN = ("-vf", "select='mod(n,7)*mod(n,3)'", "-fps_mode", "vfr")
SOURCES: dict[str, Callable[[Path], Path]] = {
    "24": _clip("a.mp4", rate="24"),
    "25": _clip("a.mp4", rate="25"),
    "30": _clip("a.mp4", rate="30"),
    "60": _clip("a.mp4", rate="60"),
    "29.97 with b-frames": _clip("a.mp4", rate="30000/1001", extra=("-preset", "medium")),
    "variable rate": _clip("a.mkv", extra=UNEVEN),
    "upright": _clip("a.mp4", size="180x320"),
    "odd width": _clip("a.avi", size="213x121", extra=("-pix_fmt", "yuv444p")),
    "mono 44.1k": _clip("a.mp4", sound="sine=sample_rate=44100", extra=("-ac", "1")),
    "5.1": _clip("a.mp4", sound="anoisesrc=r=48000:a=0.1", extra=("-ac", "6")),
    "no sound": _clip("a.mp4", sound=None),
    "short sound": _clip("a.mp4", sound_s=0.7),
    "short picture": _clip("a.mp4", sound_s=2.5),
    "webm": _clip("a.webm"),
    "flv": _clip("a.flv", extra=("-ar", "44100")),
    "starts at 10 s": _clip("a.ts", extra=("-output_ts_offset", "10")),
    "picture starts late": _late,
    "size changes": _two_sizes,
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_exactly_its_frames(source: str, tmp_path: Path) -> None:
    """The whole file, and a range beyond its end, have exactly the planned frames and samples."""
    path = SOURCES[source](tmp_path)
    frames = round(Fraction(probe_media(path, depth=Depth.PACKETS).duration_us, 1_000_000) * 30)
    assert 54 <= frames <= 76
    _is_exact(_render(tmp_path / "whole.mov", (_source(path, 0, frames), path)), frames)
    _is_exact(_render(tmp_path / "end.mov", (_source(path, 50, frames), path)), frames)


@pytest.mark.parametrize("rate", [24, 25, 30, 50, 60])
def test_every_output_rate(rate: int, tmp_path: Path) -> None:
    """Each offered frame rate has a whole number of samples per frame."""
    path = clipmaker.clip(tmp_path / "a.mp4", rate="30000/1001")
    profile = PROFILE.model_copy(update={"rate": rate})
    _is_exact(
        _render(tmp_path / "a.mov", (_source(path, 7, rate), path), profile=profile), rate, rate
    )


COUNTERS = [
    ("60", "mp4", ()),
    ("30", "mp4", ("-g", "15")),
    ("24", "mp4", ()),
    ("30000/1001", "mp4", ("-bf", "3", "-preset", "medium")),
    ("60", "mkv", ("-g", "37")),
    ("25", "webm", ("-b:v", "2M", "-deadline", "realtime")),
    ("50", "ts", ()),
]


@pytest.mark.parametrize(("rate", "suffix", "extra"), COUNTERS)
def test_the_right_frames_from_any_start(
    rate: str, suffix: str, extra: tuple[str, ...], tmp_path: Path
) -> None:
    """Each output frame shows the source's frame of its time, also far after a key frame."""
    picture = clipmaker.counter()
    path = tmp_path / f"a.{suffix}"
    clip = {"seconds": 3, "rate": rate, "picture": picture, "extra": extra}
    # In MPEG-TS audio starts 21 ms before video, and the grid would start with the audio.
    source = clipmaker.clip(path, sound=None, **clip)  # type: ignore[arg-type]
    for start, frames in ((0, 40), (40, 30), (70, 20)):
        out = _render(tmp_path / f"{start}.mov", (_source(source, start, frames), source))
        shown = [
            int((i + Fraction(9, 20)) * Fraction(rate) / 30) for i in range(start, start + frames)
        ]
        assert clipmaker.frame_numbers(out) == [n % 256 for n in shown]


def test_a_long_frame_stays_on_screen(tmp_path: Path) -> None:
    """A segment that starts within a long frame shows that frame."""
    extra = ("-vf", "select='not(between(n,20,100))'", "-fps_mode", "vfr")
    source = clipmaker.clip(tmp_path / "a.mp4", seconds=4, picture=clipmaker.counter(), extra=extra)
    out = _render(tmp_path / "a.mov", (_source(source, 80, 30), source))
    assert clipmaker.frame_numbers(out) == [19] * 21 + list(range(101, 110))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_neighbouring_segments_have_no_step(suffix: str, tmp_path: Path) -> None:
    """Two neighbouring segments have bit-exactly the samples of one segment."""
    sound = "sine=frequency=440:sample_rate=44100"
    source = clipmaker.clip(tmp_path / f"a.{suffix}", seconds=3, sound=sound)
    whole = _source(source, 0, 80)
    one = clipmaker.samples(_render(tmp_path / "one.mov", (whole, source)))
    two = clipmaker.samples(
        _render(tmp_path / "a.mov", (subrange(whole, offset=0, frames=47), source))
    )
    two += clipmaker.samples(
        _render(tmp_path / "b.mov", (subrange(whole, offset=47, frames=33), source))
    )
    assert two == one


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "ts", "flv"])
@pytest.mark.parametrize("start", [0, 20, 42])
def test_sound_stays_with_the_picture(suffix: str, start: int, tmp_path: Path) -> None:
    """A flash and a beep that are simultaneous in the source are so in the segment."""
    extra = ("-ar", "44100") if suffix == "flv" else ()
    source = clipmaker.clip(
        tmp_path / f"a.{suffix}", seconds=3, picture=FLASH, sound=BEEP, extra=extra
    )
    out = _render(tmp_path / "a.mov", (_source(source, start, 60), source))
    flash = next(i for i, f in enumerate(clipmaker.frames(out)) if clipmaker.luma(f, 160, 90) > 125)
    beep = next(i for i, s in enumerate(clipmaker.samples(out)) if abs(s) > 0.1)
    assert abs(flash - BEEP_AT_S * 30 + start) <= 1
    assert abs(beep / 48000 - flash / 30) < 0.012


def test_gain(tmp_path: Path) -> None:
    """The gain of a source range is applied to a hundredth of a decibel."""
    source = clipmaker.clip(tmp_path / "a.mp4")
    plain = clipmaker.samples(_render(tmp_path / "a.mov", (_source(source, 15, 5), source)))
    louder = clipmaker.samples(_render(tmp_path / "b.mov", (_source(source, 15, 5, 602), source)))
    assert max(louder) / max(plain) == pytest.approx(2, rel=0.002)


def _grey(folder: Path, name: str, level: int, size: str = "320x180") -> Path:
    """Write a clip of constant brightness with a tone."""
    picture = f"nullsrc,geq=lum={level}:cb=128:cr=128"
    return clipmaker.clip(folder / name, picture=picture, size=size)


def _transition(folder: Path, kind: TransitionType, frames: int = 12) -> list[av.VideoFrame]:
    dark, light = _grey(folder, "dark.mp4", 40), _grey(folder, "light.mp4", 200)
    sources = ((_source(dark, 40, frames), dark), (_source(light, 0, frames), light))
    out = _render(folder / "transition.mov", *sources, kind=kind)
    _is_exact(out, frames)
    return clipmaker.frames(out)


def test_a_fade(tmp_path: Path) -> None:
    """It starts as the first clip, mixes both equally in the middle, and ends near the second."""
    lumas = [clipmaker.luma(f, 160, 90) for f in _transition(tmp_path, TransitionType.FADE)]
    assert lumas[0] == pytest.approx(40, abs=3)
    assert lumas[6] == pytest.approx(120, abs=4)
    assert lumas[11] == pytest.approx(187, abs=4)
    assert lumas == sorted(lumas)


def test_a_fade_through_black_and_a_wipe(tmp_path: Path) -> None:
    """The middle of a fade through black is black; a wipe shows both clips side by side."""
    lumas = [clipmaker.luma(f, 160, 90) for f in _transition(tmp_path, TransitionType.FADE_BLACK)]
    assert min(lumas) < 30
    assert lumas[11] > 100
    wiped = _transition(tmp_path, TransitionType.WIPE_LEFT)[6]
    assert clipmaker.luma(wiped, 20, 90) == pytest.approx(40, abs=4)
    assert clipmaker.luma(wiped, 300, 90) == pytest.approx(200, abs=4)


@pytest.mark.parametrize("frames", [1, 2])
def test_the_shortest_transitions(frames: int, tmp_path: Path) -> None:
    """A transition may have one or two frames."""
    _transition(tmp_path, TransitionType.FADE, frames)


def test_a_transition_keeps_the_power_of_the_audio(tmp_path: Path) -> None:
    """Unrelated sounds are as loud in the middle of a transition as at its ends."""
    noise = [f"anoisesrc=r=48000:a=0.2:seed={seed}" for seed in (1, 2)]
    files = [clipmaker.clip(tmp_path / f"{i}.mp4", sound=s) for i, s in enumerate(noise)]
    sources = [(_source(path, 10, 30), path) for path in files]
    samples = clipmaker.samples(_render(tmp_path / "a.mov", *sources, kind=TransitionType.FADE))
    power = [sum(s * s for s in samples[at : at + 8000]) for at in (0, 20000, 40000)]
    assert power[1] == pytest.approx(power[0], rel=0.15)
    assert power[2] == pytest.approx(power[0], rel=0.15)


def test_a_placeholder_is_black_and_silent(tmp_path: Path) -> None:
    """A placeholder needs no file, alone or in a transition."""
    out = _render(tmp_path / "a.mov", (BLACK, None))
    _is_exact(out, 12)
    assert {clipmaker.luma(f, 160, 90) for f in clipmaker.frames(out)} == {16}
    assert max(map(abs, clipmaker.samples(out))) == 0
    light = _grey(tmp_path, "light.mp4", 200)
    sources = ((BLACK, None), (_source(light, 0, 12), light))
    transition = _render(tmp_path / "b.mov", *sources, kind=TransitionType.FADE)
    _is_exact(transition, 12)


FITS = [
    (Fit.CONTAIN, "180x180", {20: "black", 160: "light"}),
    (Fit.CONTAIN_BLUR, "180x180", {20: "light", 160: "light"}),
    (Fit.COVER, "180x180", {20: "light", 160: "light"}),
    (Fit.CONTAIN, "320x180", {2: "light", 317: "light"}),
]


@pytest.mark.parametrize(("fit", "size", "at"), FITS)
def test_borders(fit: Fit, size: str, at: dict[int, str], tmp_path: Path) -> None:
    """Only Contain has black borders, and only around a picture that does not fit."""
    source = _grey(tmp_path, "a.mp4", 200, size)
    out = _render(tmp_path / "a.mov", (_source(source, 0, 2), source), fit=fit)
    frame = clipmaker.frames(out)[0]
    for x, expected in at.items():
        assert (clipmaker.luma(frame, x, 90) > 150) == (expected == "light"), x


def test_all_segments_of_a_profile_have_the_same_parameter_sets(tmp_path: Path) -> None:
    """Extradata and time base of all segments are equal, so that joining is a copy."""
    source = clipmaker.clip(tmp_path / "a.mp4")
    grey = _grey(tmp_path, "grey.mp4", 90, "180x320")
    outs = [
        _render(tmp_path / "1.mov", (_source(source, 0, 60), source)),
        _render(tmp_path / "2.mov", (_source(source, 3, 1), source)),
        _render(tmp_path / "3.mov", (BLACK, None)),
        _render(tmp_path / "4.mov", (_source(grey, 3, 9), grey), fit=Fit.CONTAIN_BLUR),
    ]
    parameters = set()
    for out in outs:
        with av.open(str(out)) as container:
            stream = container.streams.video[0]
            parameters.add((stream.codec_context.extradata, stream.time_base))
    assert len(parameters) == 1
    assert parameters.pop()[1] == Fraction(1, 30 * 512)


def test_another_file_cannot_be_opened(tmp_path: Path) -> None:
    """The forced demuxer refuses a playlist in place of a clip."""
    secret = clipmaker.clip(tmp_path / "secret.ts")
    playlist = tmp_path / "a.mp4"
    playlist.write_text(f"#EXTM3U\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n")
    source = BLACK.model_copy(update={"media_id": "m-test", "format": "mov"})
    with pytest.raises(AssertionError, match="Invalid data"):
        _render(tmp_path / "a.mov", (source, playlist))


def test_the_ffmpeg_of_these_tests_is_the_wheels() -> None:
    """The tests use the ffmpeg binary of the wheel."""
    assert Path(imageio_ffmpeg.get_ffmpeg_exe()).exists()
