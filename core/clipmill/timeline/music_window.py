"""Music under the programme: where it plays, and the arguments that mix it in. Pure.

The window comes from the timeline; the mix is made once over all of it, in exact samples, and
leaves the programme's own level as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clipmill.ffmpeg.programme_loudness import raw_input
from clipmill.ffmpeg.segment_args import GLOBAL
from clipmill.protocol import MusicMix, TimelineItem
from clipmill.spec import AUDIO_RATE, level, seconds
from clipmill.spec.soundtrack import Duck, Music, MusicEnd, MusicStart
from clipmill.timeline.build import Source, Timeline, gain_mb

KEY_SPAN_DB = 40
"""With a depth, the key is driven to this far above the compressor's threshold."""


class Window(NamedTuple):
    """A stretch of the output in frames: first, and one past the last."""

    start: int
    end: int


def window(music: Music, entries: Sequence[TimelineItem], frames: int) -> Window:
    """Where the music may play. Empty when start is not before end."""
    start, end = 0, frames
    if music.starts is MusicStart.AFTER_INTRO and entries[0].kind == "intro":
        last = entries[1] if len(entries) > 1 and entries[1].kind == "bumper" else entries[0]
        start = last.at + last.frames
    if music.until is MusicEnd.BEFORE_OUTRO and entries[-1].kind == "outro":
        first = entries[-2] if len(entries) > 1 and entries[-2].kind == "bumper" else entries[-1]
        end = first.at
    return Window(start, end)


def music_order(
    music: Music, line: Timeline, source: Source, *, target_lufs: float
) -> tuple[MusicMix | None, str | None]:
    """What is to be mixed into an output, or the note why nothing is."""
    facts, rate = source.facts, line.profile.rate
    where = window(music, line.entries, line.frames)
    if facts is None or source.media_id is None:
        return None, None
    if where.start >= where.end:
        return None, (
            f"music: left out: from {music.starts} (frame {where.start}) is not before"
            f" until {music.until} (frame {where.end})"
        )
    each = AUDIO_RATE // rate
    start, end = where.start * each, where.end * each
    if not music.loop:
        end = min(end, start + max(1, facts.duration_us * AUDIO_RATE // 1_000_000))
    return MusicMix(
        media_id=source.media_id,
        sha256=source.sha256,
        format=facts.format,
        gain_mb=round(level(music.gain) * 100) + gain_mb(facts, target_lufs),
        start=start,
        end=end,
        loop=music.loop,
        fade=min(end - start, int(seconds(music.fade_out) * AUDIO_RATE)),
        duck=music.duck,
    ), None


def decode_args(order: MusicMix, path: str, out: str) -> tuple[str, ...]:
    """Arguments that write the track as raw samples, no more of it than is played."""
    safe = ("-f", order.format, "-protocol_whitelist", "file", "-format_whitelist", order.format)
    chain = (
        f"aresample={AUDIO_RATE}",
        "aformat=sample_fmts=flt:channel_layouts=stereo",
        f"atrim=end_sample={order.end - order.start}",
    )
    raw = ("-map", "0:a:0", "-af", ",".join(chain), "-f", "f32le", f"file:{out}")
    return (*GLOBAL, *safe, "-i", f"file:{path}", *raw)


def mix_args(
    order: MusicMix, programme: str, track: str, out: str, *, samples: int
) -> tuple[str, ...]:
    """Arguments that mix raw `track` into raw `programme`, of `samples` in all."""
    # Raw samples begin again without a gap: no container's padding lies between.
    again = ("-stream_loop", "-1") if order.loop else ()
    length = order.end - order.start
    placed = (
        f"atrim=end_sample={length}",
        f"volume={order.gain_mb / 100:.2f}dB:precision=double",
        *((f"afade=t=out:ss={length - order.fade}:ns={order.fade}",) if order.fade else ()),
        f"adelay={order.start}S:all=1",
        "apad",
    )
    # All that goes in is endless and only the end is cut: a filter of two inputs that sees one
    # of them end drops what it holds of the other, more or less by the luck of the threads.
    graph = (
        "[0:a]apad[all]",
        f"[1:a]{','.join(placed)}[music]",
        *_ducked(order.duck),
        # normalize=0: the mixer's default would lower the programme by 6 dB.
        f"[programme][under]amix=inputs=2:normalize=0,atrim=end_sample={samples}[out]",
    )
    mixed = ("-filter_complex", ";".join(graph), "-map", "[out]", "-f", "f32le", f"file:{out}")
    return (*GLOBAL, *raw_input(programme), *again, *raw_input(track), *mixed)


def _ducked(duck: Duck) -> list[str]:
    """From [music] and [all] to [programme] and [under]."""
    if duck.ratio == 1 and duck.depth is None:
        return ["[all]anull[programme]", "[music]anull[under]"]
    key, threshold, ratio = "anull", _amplitude(level(duck.threshold)), float(duck.ratio)
    if duck.depth is not None:
        # Whatever is above the threshold becomes one constant level, so the depth is exact.
        key = f"{_gate(threshold)},volume=60dB,asoftclip=type=hard"
        threshold = _amplitude(-KEY_SPAN_DB)
        ratio = KEY_SPAN_DB / (KEY_SPAN_DB + level(duck.depth))
    times = f"attack={_ms(duck.attack)}:release={_ms(duck.release)}"
    detection = "peak" if duck.depth is not None else "rms"
    compressor = f"threshold={threshold:.6f}:ratio={ratio:.4f}:{times}:detection={detection}"
    return [
        "[all]asplit[programme][heard]",
        f"[heard]{key}[key]",
        f"[music][key]sidechaincompress={compressor}[under]",
    ]


def _gate(threshold: float) -> str:
    return f"agate=threshold={threshold:.6f}:range=0:ratio=9000:attack=1:release=20:detection=peak"


def _amplitude(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _ms(duration: str) -> str:
    return f"{float(seconds(duration) * 1000):g}"
