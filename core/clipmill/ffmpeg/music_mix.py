"""Mix music under a programme, in raw samples.

The mix is made once over the whole output and leaves the programme's own level unchanged.
"""

from __future__ import annotations

from clipmill.ffmpeg.programme_loudness import raw_audio_input
from clipmill.ffmpeg.segment_args import GLOBAL
from clipmill.protocol import MusicMix
from clipmill.spec import AUDIO_RATE, parse_duration, parse_level
from clipmill.spec.soundtrack import Ducking

# With a ducking depth, the key signal is driven this far above the compressor's threshold.
KEY_SPAN_DB = 40


def music_decode_args(mix: MusicMix, path: str, out: str) -> tuple[str, ...]:
    """Return arguments that decode the track to raw samples, up to the length that is played."""
    safe = ("-f", mix.format, "-protocol_whitelist", "file", "-format_whitelist", mix.format)
    chain = (
        f"aresample={AUDIO_RATE}",
        "aformat=sample_fmts=flt:channel_layouts=stereo",
        f"atrim=end_sample={mix.end - mix.start}",
    )
    stream = "a:0" if mix.audio_stream is None else mix.audio_stream
    raw = ("-map", f"0:{stream}", "-af", ",".join(chain), "-f", "f32le", f"file:{out}")
    return (*GLOBAL, *safe, "-i", f"file:{path}", *raw)


def music_mix_args(
    mix: MusicMix, programme: str, track: str, out: str, *, samples: int
) -> tuple[str, ...]:
    """Return arguments that mix a raw track into a raw programme.

    Args:
        mix: Position, gain, fade and ducking of the track.
        programme: Path of the programme's raw samples.
        track: Path of the track's raw samples, as written by `music_decode_args`.
        out: Path of the raw result.
        samples: Length of the programme and of the result.
    """
    # Raw samples loop without a gap: there is no container padding between repetitions.
    loop = ("-stream_loop", "-1") if mix.loop else ()
    # Both inputs are padded without end and the result is cut: when one input of a filter with
    # two inputs ends, the filter drops a varying amount of what it has buffered of the other.
    graph = (
        "[0:a]apad[all]",
        f"[1:a]{','.join(_placed(mix))}[music]",
        *_ducked(mix.duck),
        # normalize=0: the mixer's default would lower the programme by 6 dB.
        f"[programme][under]amix=inputs=2:normalize=0,atrim=end_sample={samples}[out]",
    )
    mapped = ("-filter_complex", ";".join(graph), "-map", "[out]", "-f", "f32le", f"file:{out}")
    return (*GLOBAL, *raw_audio_input(programme), *loop, *raw_audio_input(track), *mapped)


def _placed(mix: MusicMix) -> tuple[str, ...]:
    length = mix.end - mix.start
    return (
        f"atrim=end_sample={length}",
        f"volume={mix.gain_mb / 100:.2f}dB:precision=double",
        *((f"afade=t=out:ss={length - mix.fade}:ns={mix.fade}",) if mix.fade else ()),
        f"adelay={mix.start}S:all=1",
        "apad",
    )


def _ducked(ducking: Ducking) -> list[str]:
    """Return filter chains from [music] and [all] to [programme] and [under]."""
    if ducking.ratio == 1 and ducking.depth is None:
        return ["[all]anull[programme]", "[music]anull[under]"]
    key, threshold = "anull", _amplitude(parse_level(ducking.threshold))
    ratio = float(ducking.ratio)
    if ducking.depth is not None:
        # Everything above the threshold becomes one constant level, so the depth is exact.
        key = f"{_noise_gate(threshold)},volume=60dB,asoftclip=type=hard"
        threshold = _amplitude(-KEY_SPAN_DB)
        ratio = KEY_SPAN_DB / (KEY_SPAN_DB + parse_level(ducking.depth))
    times = f"attack={_ms(ducking.attack)}:release={_ms(ducking.release)}"
    detection = "peak" if ducking.depth is not None else "rms"
    compressor = f"threshold={threshold:.6f}:ratio={ratio:.4f}:{times}:detection={detection}"
    return [
        "[all]asplit[programme][heard]",
        f"[heard]{key}[key]",
        f"[music][key]sidechaincompress={compressor}[under]",
    ]


def _noise_gate(threshold: float) -> str:
    return f"agate=threshold={threshold:.6f}:range=0:ratio=9000:attack=1:release=20:detection=peak"


def _amplitude(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _ms(duration: str) -> str:
    return f"{float(parse_duration(duration) * 1000):g}"
