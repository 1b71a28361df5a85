"""Bring a whole programme to its loudness: measure it, choose one gain, limit true peaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clipmill.ffmpeg.ebur128 import Loudness
from clipmill.ffmpeg.segment_args import GLOBAL
from clipmill.protocol.encoding_profile import Container

# Largest gain of a programme, up or down, so that hiss is not raised to full level.
GAIN_LIMIT_DB = 30.0
# AAC at 192 kbit/s may add this much to a true peak, so the limiter's ceiling is lower by it.
CODEC_MARGIN_DB = 0.7
TOLERANCE_LU = 0.4
# Number of attempts with full correction, and the share of the correction in later ones.
FULL_STEPS, SHORT_STEP = 2, 0.6


class GainSetting(NamedTuple):
    """The gain of the whole programme, and the limiter's ceiling (None for no limiter)."""

    gain_db: float
    ceiling_dbtp: float | None


class AudioFormat(NamedTuple):
    """How the finished audio is encoded: AAC in MP4, Opus in WebM; bit rate in bit/s."""

    container: Container = "mp4"
    bitrate: int = 192_000


def raw_audio_input(path: str) -> tuple[str, ...]:
    """Return the input arguments of raw samples. Without a container, nothing shifts them."""
    return ("-f", "f32le", "-ar", "48000", "-ch_layout", "stereo", "-i", f"file:{path}")


def measure_args(source: tuple[str, ...]) -> tuple[str, ...]:
    """Return arguments that measure the loudness of an input and write it to the log."""
    meter = "ebur128=peak=true:framelog=quiet"
    flags = ("-nostdin", "-hide_banner", "-nostats", "-loglevel", "info")
    return (*flags, *source, "-map", "0:a:0", "-af", meter, "-f", "null", "-")


def first_setting(programme: Loudness, *, target_lufs: float, peak_dbtp: float) -> GainSetting:
    """Return the gain that brings a programme to its target. The gain of silence is 0."""
    if programme.lufs is None:
        return GainSetting(0.0, None)
    return _setting(target_lufs - programme.lufs, programme, peak_dbtp - CODEC_MARGIN_DB)


def _setting(gain_db: float, programme: Loudness, ceiling_dbtp: float) -> GainSetting:
    gain = round(max(-GAIN_LIMIT_DB, min(GAIN_LIMIT_DB, gain_db)), 2)
    peak = programme.peak_dbtp if programme.peak_dbtp is not None else 0.0
    return GainSetting(gain, ceiling_dbtp if peak + gain > ceiling_dbtp else None)


def next_setting(
    tried: Sequence[GainSetting],
    programme: Loudness,
    result: Loudness,
    *,
    target_lufs: float,
    peak_dbtp: float,
) -> GainSetting | None:
    """Return a better setting for the next encoding, or None if the result is good enough.

    The effect of the limiter on loudness and of the codec on peaks is only known after encoding.
    From the third attempt on the correction is reduced, since a codec may answer a change of half
    a decibel by a whole one, and oscillate.

    Args:
        tried: All settings so far; the last one gave the result.
        programme: Loudness of the programme before encoding.
        result: Loudness of the encoded file.
        target_lufs: Target loudness.
        peak_dbtp: Highest true peak allowed.
    """
    if result.lufs is None or result.peak_dbtp is None:
        return None
    deviation, excess = target_lufs - result.lufs, result.peak_dbtp - peak_dbtp
    if abs(deviation) <= TOLERANCE_LU and excess <= 0:
        return None
    last = tried[-1]
    ceiling = last.ceiling_dbtp if last.ceiling_dbtp is not None else peak_dbtp - CODEC_MARGIN_DB
    if excess > 0:
        ceiling -= excess + 0.1
    step = 1.0 if len(tried) <= FULL_STEPS else SHORT_STEP
    setting = _setting(last.gain_db + step * deviation, programme, round(ceiling, 2))
    return None if setting == last else setting


def loudness_deviation(
    result: Loudness, *, target_lufs: float, peak_dbtp: float
) -> tuple[float, float]:
    """Return the deviation of a result for comparison: first of its peak, then its loudness.

    The peak comes first, since its limit is strict.
    """
    excess = max(0.0, (result.peak_dbtp or peak_dbtp) - peak_dbtp)
    lufs = result.lufs if result.lufs is not None else target_lufs
    return excess, abs(lufs - target_lufs)


def audio_encode_args(
    source: str, out: str, *, samples: int, setting: GainSetting, audio_format: AudioFormat
) -> tuple[str, ...]:
    """Return arguments that encode raw samples once: gain, limiter, exact length, codec."""
    chain = [f"volume={setting.gain_db:.2f}dB:precision=double"]
    if setting.ceiling_dbtp is not None:
        chain += _limiter(setting.ceiling_dbtp)
    chain += ["apad", f"atrim=end_sample={samples}"]
    codec = "libopus" if audio_format.container == "webm" else "aac"
    encoder = ("-c:a", codec, "-b:a", str(audio_format.bitrate), "-map_metadata", "-1")
    filters = ("-af", ",".join(chain))
    return (
        *GLOBAL,
        *raw_audio_input(source),
        *filters,
        *encoder,
        "-f",
        audio_format.container,
        out,
    )


def _limiter(ceiling_dbtp: float) -> list[str]:
    # True peaks lie between samples: the limiter sees them at four times the sample rate.
    # latency=true compensates its look-ahead, which would shift the audio by 5 ms.
    limit = 10 ** (ceiling_dbtp / 20)
    return [
        "aresample=192000",
        f"alimiter=limit={limit:.5f}:attack=5:release=50:level=false:latency=true",
        "aresample=48000",
    ]
