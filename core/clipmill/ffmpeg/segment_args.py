"""A segment -> the arguments that make ffmpeg render exactly its frames and samples. Runs nothing.

Each cut's picture and sound go on one grid that starts where the file starts, whatever the
segment: so neighbouring segments of one source meet without a lost, doubled or shifted frame.
"""

from __future__ import annotations

from collections.abc import Sequence

from clipmill.ffmpeg.encoding import TICKS, encoding_args
from clipmill.ffmpeg.framing import framing_chains
from clipmill.ffmpeg.overlay_filter import LayerInput, RenderedLayer, image_input, overlay_chains
from clipmill.protocol import Profile, Segment, SourceRange
from clipmill.spec import AUDIO_RATE, Curve

GLOBAL = ("-nostdin", "-hide_banner", "-nostats", "-loglevel", "warning", "-y")
SEEKABLE = ("mov", "matroska")
"""Demuxers that find the key frame before any time exactly; the others are read from the start."""
SOUND_SEEK_S = 600
"""Sound is decoded from the file's start up to here: cheap, and the same samples in each segment."""
MAX_PIXELS = 8192 * 8192
CURVES = {
    Curve.EQUAL_POWER: "qsin",
    Curve.LINEAR: "tri",
    Curve.SMOOTH: "hsin",
    Curve.EXPONENTIAL: "exp",
}


def segment_args(
    segment: Segment, paths: Sequence[str | None], out: str, drawn: Sequence[RenderedLayer] = ()
) -> tuple[str, ...]:
    """Arguments after the binary's name. `paths[i]` is the file of `cuts[i]`, None without one.

    `drawn[i]` is the drawing of `segment.layers()[i]`.
    """
    inputs: list[str] = []
    graph: list[str] = []
    opened = 0
    for i, (cut, path) in enumerate(zip(segment.sources, paths, strict=True)):
        if path is None:
            graph += _placeholder(cut, segment.profile, i)
            continue
        opens = _opens(cut, path, segment.profile.rate)
        inputs += [argument for one in opens for argument in one]
        graph += _cut(cut, segment, i, video=opened, audio=opened + len(opens) - 1)
        opened += len(opens)
    images = [
        LayerInput(layer, drawing, opened + i)
        for i, (layer, drawing) in enumerate(zip(segment.layers(), drawn, strict=True))
    ]
    inputs += [argument for image in images for argument in image_input(image.drawn)]
    seen, heard = _together(segment, images, graph)
    mapped = ("-filter_complex", ";".join(graph), "-map", seen, "-map", heard)
    return (
        *GLOBAL,
        *inputs,
        *mapped,
        *encoding_args(segment.profile, segment.frames),
        f"file:{out}",
    )


def _together(segment: Segment, images: Sequence[LayerInput], graph: list[str]) -> tuple[str, str]:
    """Add layers, seam and watermark to the graph; the labels of picture and sound."""
    over = {"frames": segment.frames, "rate": segment.profile.rate}
    seen, taken = [], 0
    for i, cut in enumerate(segment.sources):
        mine = images[taken : taken + len(cut.layers)]
        graph += overlay_chains(mine, **over, source=f"v{i}", label=f"c{i}")
        seen.append(f"c{i}" if mine else f"v{i}")
        taken += len(mine)
    heard = "a0"
    if len(segment.sources) == 2:
        graph += _seam(segment, seen)
        seen, heard = ["v"], "a"
    if segment.watermark:
        graph += overlay_chains(images[taken:], **over, source=seen[0], label="marked")
        seen = ["marked"]
    return f"[{seen[0]}]", f"[{heard}]"


def seek_s(start: int, rate: int) -> int:
    """Whole second from which to read for the frame `start`, a quarter of a second before it.

    Whole, so that times are moved by whole frames: rounding to the grid is the same in each segment.
    """
    return max(0, start - -(-rate // 4)) // rate


def _opens(cut: SourceRange, path: str, rate: int) -> list[tuple[str, ...]]:
    """The inputs of a cut: picture and sound in one, or the sound apart, read from its start."""
    seek = seek_s(cut.start, rate) if cut.format in SEEKABLE else 0
    if not cut.has_audio or not seek or cut.start >= SOUND_SEEK_S * rate:
        return [_open(cut, path, seek)]
    return [_open(cut, path, seek), _open(cut, path, 0)]


def _open(cut: SourceRange, path: str, seek: int) -> tuple[str, ...]:
    """One input: demuxer forced, no other file or protocol, from the key frame before `seek`."""
    # Not accurate seek: it drops the frame that is on screen at `seek`, when that began before.
    at = ("-noaccurate_seek", "-ss", str(seek)) if seek else ()
    return (*safe_input_args(cut.format), *at, "-i", f"file:{path}")


def safe_input_args(demuxer: str) -> tuple[str, ...]:
    """Options of an input of unknown make: this demuxer only, files only, no picture too large."""
    safe = ("-f", demuxer, "-protocol_whitelist", "file", "-format_whitelist", demuxer)
    return (*safe, "-max_pixels", str(MAX_PIXELS), "-reinit_filter", "0")


def still_args(demuxer: str, path: str, out: str, *, at_s: float, width: int) -> tuple[str, ...]:
    """Arguments for one JPEG of a file at a moment, `width` pixels wide."""
    seek = ("-ss", f"{at_s:.3f}") if demuxer in SEEKABLE else ()
    take = ("-map", "0:V:0", "-frames:v", "1", "-vf", f"scale={width}:-2", "-q:v", "4")
    return (
        *GLOBAL,
        *safe_input_args(demuxer),
        *seek,
        "-i",
        f"file:{path}",
        *take,
        "-f",
        "mjpeg",
        out,
    )


def _cut(cut: SourceRange, segment: Segment, i: int, *, video: int, audio: int) -> list[str]:
    rate = segment.profile.rate
    seek = seek_s(cut.start, rate) if cut.format in SEEKABLE else 0
    sound_seek = seek if video == audio else 0
    picture = _picture(cut, rate, seek)
    where = f"{video}:V:0"
    graph = framing_chains(segment.profile, cut, source=where, before=picture, label=f"v{i}")
    if not cut.has_audio:
        return [*graph, _silence(cut.frames, rate, i)]
    return [*graph, _sound(cut, rate, sound_seek, f"[{audio}:a:0]", f"[a{i}]")]


def _picture(cut: SourceRange, rate: int, seek: int) -> str:
    """From any frame rate onto the grid, then exactly the frames of the cut."""
    first = cut.start - seek * rate
    last = first + cut.frames
    return ",".join(
        (
            # A twentieth of a frame later: times rounded to milliseconds stay off the ties.
            "settb=1/90000",
            f"setpts=PTS+{90000 // (20 * rate)}",
            f"fps={rate}:start_time=0",
            f"tpad=stop_mode=clone:stop={last}",
            f"trim=start_frame={first}:end_frame={last}",
            "setpts=PTS-STARTPTS",
        )
    )


def _sound(cut: SourceRange, rate: int, seek: int, source: str, label: str) -> str:
    """48 kHz stereo from the file's start on, gaps filled, then exactly the cut's samples."""
    each = AUDIO_RATE // rate
    first = (cut.start - seek * rate) * each
    last = first + cut.frames * each
    chain = (
        "atrim=start=0",
        f"aresample={AUDIO_RATE}:async=1:first_pts=0",
        "aformat=sample_fmts=flt:channel_layouts=stereo",
        "apad",
        f"atrim=start_sample={first}:end_sample={last}",
        "asetpts=PTS-STARTPTS",
        f"volume={cut.gain_mb / 100:.2f}dB",
    )
    return f"{source}{','.join(chain)}{label}"


def _placeholder(cut: SourceRange, form: Profile, i: int) -> list[str]:
    """Black and silent, in the form of any other cut."""
    size = f"s={form.width}x{form.height}:r={form.rate}"
    black = f"color=c=black:{size},trim=end_frame={cut.frames},setsar=1,format=yuv420p[v{i}]"
    return [black, _silence(cut.frames, form.rate, i)]


def _silence(frames: int, rate: int, i: int) -> str:
    end = frames * AUDIO_RATE // rate
    chain = f"anullsrc=r={AUDIO_RATE}:cl=stereo,aformat=sample_fmts=flt,atrim=end_sample={end}"
    return f"{chain}[a{i}]"


def _seam(segment: Segment, seen: Sequence[str]) -> list[str]:
    """Both cuts over each other for all frames: it begins as the first and leads to the second."""
    frames, rate = segment.frames, segment.profile.rate
    # ffmpeg's names are ours in small letters.
    mix = f"xfade=transition={segment.transition.lower()}:duration={frames / rate:.6f}:offset=0"
    samples = frames * AUDIO_RATE // rate
    fade = f"ss=0:ns={samples}:curve={CURVES[segment.curve]}"
    return [
        f"[{seen[0]}][{seen[1]}]{mix},format=yuv420p[v]",
        f"[a0]afade=t=out:{fade}[out]",
        f"[a1]afade=t=in:{fade}[in]",
        f"[out][in]amix=inputs=2:normalize=0,atrim=end_sample={samples}[a]",
    ]


__all__ = ["CURVES", "GLOBAL", "TICKS", "RenderedLayer", "seek_s", "segment_args"]
