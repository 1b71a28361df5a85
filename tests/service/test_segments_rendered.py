"""Segments by the real ffmpeg: exact frames and samples, the right ones, from any source."""

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
from clipmill_probe import check

FORM = Profile(width=320, height=180, rate=30, crf=19, speed="ultrafast", max_bitrate=4_000_000)
BEEP_AT_S = 1.5
BEEP = f"aevalsrc='if(gte(t,{BEEP_AT_S}),sin(2*PI*1000*t)/4,0)':s=48000"
FLASH = f"nullsrc,geq=lum='if(gte(T,{BEEP_AT_S}),235,16)':cb=128:cr=128"


def _cut(path: Path, start: int, frames: int, gain_mb: int = 0) -> SourceRange:
    facts = check(path, full=False)
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
    *cuts: tuple[SourceRange, Path | None],
    form: Profile = FORM,
    fit: Fit = Fit.CONTAIN,
    kind: TransitionType = TransitionType.NONE,
) -> Path:
    order = [cut.model_copy(update={"framing": Framing(fit=fit)}) for cut, _ in cuts]
    segment = Segment(key="0" * 64, sources=order, transition=kind, profile=form)
    clipmaker.ffmpeg(*segment_args(segment, [str(p) if p else None for _, p in cuts], str(out)))
    return out


def _is_exact(path: Path, frames: int, rate: int = 30) -> None:
    """Exactly so many frames at whole frame times, and exactly their samples."""
    assert clipmaker.frame_times(path) == [Fraction(i, rate) for i in range(frames)]
    assert len(clipmaker.samples(path)) == frames * 48000 // rate


def _clip(name: str, **options: object) -> Callable[[Path], Path]:
    return lambda folder: clipmaker.clip(folder / name, **options)  # type: ignore[arg-type]


def _two_sizes(folder: Path) -> Path:
    """A stream that changes its picture's size on the way, as a live one may."""
    small = clipmaker.clip(folder / "small.ts", seconds=1)
    large = clipmaker.clip(
        folder / "large.ts", seconds=1, size="640x480", extra=("-output_ts_offset", "1")
    )
    (folder / "both.ts").write_bytes(small.read_bytes() + large.read_bytes())
    return folder / "both.ts"


def _late(folder: Path) -> Path:
    """The picture begins half a second after the sound."""
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
    """The whole file and a stretch across its end have exactly the frames and samples asked for."""
    path = SOURCES[source](tmp_path)
    frames = round(Fraction(check(path, full=False).duration_us, 1_000_000) * 30)
    assert 54 <= frames <= 76
    _is_exact(_render(tmp_path / "whole.mov", (_cut(path, 0, frames), path)), frames)
    _is_exact(_render(tmp_path / "end.mov", (_cut(path, 50, frames), path)), frames)


@pytest.mark.parametrize("rate", [24, 25, 30, 50, 60])
def test_every_output_rate(rate: int, tmp_path: Path) -> None:
    """Each frame rate we offer has a whole number of samples per frame."""
    path = clipmaker.clip(tmp_path / "a.mp4", rate="30000/1001")
    form = FORM.model_copy(update={"rate": rate})
    _is_exact(_render(tmp_path / "a.mov", (_cut(path, 7, rate), path), form=form), rate, rate)


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
def test_the_right_frames_wherever_a_segment_starts(
    rate: str, suffix: str, extra: tuple[str, ...], tmp_path: Path
) -> None:
    """Output frame i shows the source's frame of that moment, also far behind a key frame."""
    picture = clipmaker.counter()
    path = tmp_path / f"a.{suffix}"
    clip = {"seconds": 3, "rate": rate, "picture": picture, "extra": extra}
    # In MPEG-TS the sound begins 21 ms before the picture: there the grid starts with the sound.
    source = clipmaker.clip(path, sound=None, **clip)  # type: ignore[arg-type]
    for start, frames in ((0, 40), (40, 30), (70, 20)):
        out = _render(tmp_path / f"{start}.mov", (_cut(source, start, frames), source))
        shown = [
            int((i + Fraction(9, 20)) * Fraction(rate) / 30) for i in range(start, start + frames)
        ]
        assert clipmaker.numbers(out) == [n % 256 for n in shown]


def test_a_still_stretch_holds_its_frame(tmp_path: Path) -> None:
    """A segment from within a stretch where nothing changes shows what is on screen there."""
    extra = ("-vf", "select='not(between(n,20,100))'", "-fps_mode", "vfr")
    source = clipmaker.clip(tmp_path / "a.mp4", seconds=4, picture=clipmaker.counter(), extra=extra)
    out = _render(tmp_path / "a.mov", (_cut(source, 80, 30), source))
    assert clipmaker.numbers(out) == [19] * 21 + list(range(101, 110))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_neighbours_meet_without_a_step(suffix: str, tmp_path: Path) -> None:
    """Two segments of one source have together the samples of one segment, to the last bit."""
    sound = "sine=frequency=440:sample_rate=44100"
    source = clipmaker.clip(tmp_path / f"a.{suffix}", seconds=3, sound=sound)
    whole = _cut(source, 0, 80)
    one = clipmaker.samples(_render(tmp_path / "one.mov", (whole, source)))
    two = clipmaker.samples(_render(tmp_path / "a.mov", (subrange(whole, offset=0, frames=47), source)))
    two += clipmaker.samples(
        _render(tmp_path / "b.mov", (subrange(whole, offset=47, frames=33), source))
    )
    assert two == one


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "ts", "flv"])
@pytest.mark.parametrize("start", [0, 20, 42])
def test_sound_stays_with_the_picture(suffix: str, start: int, tmp_path: Path) -> None:
    """A flash and a beep of the same moment come at the same moment of a segment."""
    extra = ("-ar", "44100") if suffix == "flv" else ()
    source = clipmaker.clip(
        tmp_path / f"a.{suffix}", seconds=3, picture=FLASH, sound=BEEP, extra=extra
    )
    out = _render(tmp_path / "a.mov", (_cut(source, start, 60), source))
    flash = next(i for i, f in enumerate(clipmaker.frames(out)) if clipmaker.luma(f, 160, 90) > 125)
    beep = next(i for i, s in enumerate(clipmaker.samples(out)) if abs(s) > 0.1)
    assert abs(flash - BEEP_AT_S * 30 + start) <= 1
    assert abs(beep / 48000 - flash / 30) < 0.012


def test_gain(tmp_path: Path) -> None:
    """A cut's gain is applied to the hundredth of a decibel."""
    source = clipmaker.clip(tmp_path / "a.mp4")
    plain = clipmaker.samples(_render(tmp_path / "a.mov", (_cut(source, 15, 5), source)))
    louder = clipmaker.samples(_render(tmp_path / "b.mov", (_cut(source, 15, 5, 602), source)))
    assert max(louder) / max(plain) == pytest.approx(2, rel=0.002)


def _grey(folder: Path, name: str, level: int, size: str = "320x180") -> Path:
    """A clip of one brightness with a steady tone."""
    picture = f"nullsrc,geq=lum={level}:cb=128:cr=128"
    return clipmaker.clip(folder / name, picture=picture, size=size)


def _seam(folder: Path, kind: TransitionType, frames: int = 12) -> list[av.VideoFrame]:
    dark, light = _grey(folder, "dark.mp4", 40), _grey(folder, "light.mp4", 200)
    cuts = ((_cut(dark, 40, frames), dark), (_cut(light, 0, frames), light))
    out = _render(folder / "seam.mov", *cuts, kind=kind)
    _is_exact(out, frames)
    return clipmaker.frames(out)


def test_a_fade_goes_from_one_to_the_other(tmp_path: Path) -> None:
    """It begins as the first clip, is half of each in the middle, and ends next to the second."""
    shown = [clipmaker.luma(f, 160, 90) for f in _seam(tmp_path, TransitionType.FADE)]
    assert shown[0] == pytest.approx(40, abs=3)
    assert shown[6] == pytest.approx(120, abs=4)
    assert shown[11] == pytest.approx(187, abs=4)
    assert shown == sorted(shown)


def test_a_fade_through_black_and_a_wipe(tmp_path: Path) -> None:
    """The middle of one is black; the other has both clips side by side."""
    through = [clipmaker.luma(f, 160, 90) for f in _seam(tmp_path, TransitionType.FADE_BLACK)]
    assert min(through) < 30
    assert through[11] > 100
    wiped = _seam(tmp_path, TransitionType.WIPE_LEFT)[6]
    assert clipmaker.luma(wiped, 20, 90) == pytest.approx(40, abs=4)
    assert clipmaker.luma(wiped, 300, 90) == pytest.approx(200, abs=4)


@pytest.mark.parametrize("frames", [1, 2])
def test_the_shortest_seams(frames: int, tmp_path: Path) -> None:
    """A seam of one or two frames is one too."""
    _seam(tmp_path, TransitionType.FADE, frames)


def test_a_seams_sound_keeps_its_power(tmp_path: Path) -> None:
    """Unlike sounds are as loud in the middle of a seam as at its ends: no dip, no bump."""
    noise = [f"anoisesrc=r=48000:a=0.2:seed={seed}" for seed in (1, 2)]
    files = [clipmaker.clip(tmp_path / f"{i}.mp4", sound=s) for i, s in enumerate(noise)]
    cuts = [(_cut(path, 10, 30), path) for path in files]
    heard = clipmaker.samples(_render(tmp_path / "a.mov", *cuts, kind=TransitionType.FADE))
    power = [sum(s * s for s in heard[at : at + 8000]) for at in (0, 20000, 40000)]
    assert power[1] == pytest.approx(power[0], rel=0.15)
    assert power[2] == pytest.approx(power[0], rel=0.15)


def test_a_placeholder_is_black_and_silent(tmp_path: Path) -> None:
    """Alone or in a seam, a clip that could not be had needs no file."""
    out = _render(tmp_path / "a.mov", (BLACK, None))
    _is_exact(out, 12)
    assert {clipmaker.luma(f, 160, 90) for f in clipmaker.frames(out)} == {16}
    assert max(map(abs, clipmaker.samples(out))) == 0
    light = _grey(tmp_path, "light.mp4", 200)
    cuts = ((BLACK, None), (_cut(light, 0, 12), light))
    seam = _render(tmp_path / "b.mov", *cuts, kind=TransitionType.FADE)
    _is_exact(seam, 12)


FITS = [
    (Fit.CONTAIN, "180x180", {20: "black", 160: "light"}),
    (Fit.CONTAIN_BLUR, "180x180", {20: "light", 160: "light"}),
    (Fit.COVER, "180x180", {20: "light", 160: "light"}),
    (Fit.CONTAIN, "320x180", {2: "light", 317: "light"}),
]


@pytest.mark.parametrize(("fit", "size", "at"), FITS)
def test_borders_only_where_fit_says(
    fit: Fit, size: str, at: dict[int, str], tmp_path: Path
) -> None:
    """Contain has black borders; a blur and a crop have none; nor has a picture that fits."""
    source = _grey(tmp_path, "a.mp4", 200, size)
    frame = clipmaker.frames(_render(tmp_path / "a.mov", (_cut(source, 0, 2), source), fit=fit))[0]
    for x, expected in at.items():
        assert (clipmaker.luma(frame, x, 90) > 150) == (expected == "light"), x


def test_all_segments_of_a_profile_have_the_same_parameter_sets(tmp_path: Path) -> None:
    """Whatever is in them, so that a join is a copy; time base and colour as well."""
    source = clipmaker.clip(tmp_path / "a.mp4")
    grey = _grey(tmp_path, "grey.mp4", 90, "180x320")
    outs = [
        _render(tmp_path / "1.mov", (_cut(source, 0, 60), source)),
        _render(tmp_path / "2.mov", (_cut(source, 3, 1), source)),
        _render(tmp_path / "3.mov", (BLACK, None)),
        _render(tmp_path / "4.mov", (_cut(grey, 3, 9), grey), fit=Fit.CONTAIN_BLUR),
    ]
    forms = set()
    for out in outs:
        with av.open(str(out)) as container:
            stream = container.streams.video[0]
            forms.add((stream.codec_context.extradata, stream.time_base))
    assert len(forms) == 1
    assert forms.pop()[1] == Fraction(1, 30 * 512)


def test_another_file_cannot_be_opened(tmp_path: Path) -> None:
    """A playlist in place of a clip is refused by the forced demuxer, not followed."""
    secret = clipmaker.clip(tmp_path / "secret.ts")
    playlist = tmp_path / "a.mp4"
    playlist.write_text(f"#EXTM3U\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n")
    cut = BLACK.model_copy(update={"media_id": "m-test", "format": "mov"})
    with pytest.raises(AssertionError, match="Invalid data"):
        _render(tmp_path / "a.mov", (cut, playlist))


def test_the_ffmpeg_of_these_tests_is_the_wheels() -> None:
    """The tests measure the binary that a laptop without ffmpeg gets."""
    assert Path(imageio_ffmpeg.get_ffmpeg_exe()).exists()
