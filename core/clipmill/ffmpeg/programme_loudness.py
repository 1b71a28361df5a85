"""Loudness of a whole programme: measure it, choose one gain, keep true peaks under a ceiling.

Pure: argument tuples for ffmpeg, the reading of its summary, and the arithmetic between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clipmill.ffmpeg.ebur128 import Loudness
from clipmill.ffmpeg.segment_args import GLOBAL
from clipmill.protocol.layers import Container

GAIN_LIMIT_DB = 30.0
"""Largest gain of a programme either way: hiss is not lifted to full level."""
CODEC_MARGIN_DB = 0.7
"""What AAC at 192 kbit/s may add to a true peak: the limiter's ceiling lies this much lower."""
TOLERANCE_LU = 0.4
FULL_STEPS, SHORT_STEP = 2, 0.6


class GainSetting(NamedTuple):
    """One gain for the whole programme, and the limiter's ceiling (None: no limiter)."""

    gain_db: float
    ceiling_dbtp: float | None


def raw_audio_input(path: str) -> tuple[str, ...]:
    """The joined samples of all segments as an input: no container, so nothing can shift them."""
    return ("-f", "f32le", "-ar", "48000", "-ch_layout", "stereo", "-i", f"file:{path}")


def measure_args(source: tuple[str, ...]) -> tuple[str, ...]:
    """Arguments that measure the sound of an input; the answer is in the log."""
    meter = "ebur128=peak=true:framelog=quiet"
    flags = ("-nostdin", "-hide_banner", "-nostats", "-loglevel", "info")
    return (*flags, *source, "-map", "0:a:0", "-af", meter, "-f", "null", "-")


def first_setting(found: Loudness, *, target_lufs: float, peak_dbtp: float) -> GainSetting:
    """The gain that brings what was measured to the target; silence is left alone."""
    if found.lufs is None:
        return GainSetting(0.0, None)
    return _setting(target_lufs - found.lufs, found, peak_dbtp - CODEC_MARGIN_DB)


def _setting(gain_db: float, found: Loudness, ceiling_dbtp: float) -> GainSetting:
    gain = round(max(-GAIN_LIMIT_DB, min(GAIN_LIMIT_DB, gain_db)), 2)
    peak = found.peak_dbtp if found.peak_dbtp is not None else 0.0
    return GainSetting(gain, ceiling_dbtp if peak + gain > ceiling_dbtp else None)


def next_setting(
    tried: Sequence[GainSetting],
    programme: Loudness,
    result: Loudness,
    *,
    target_lufs: float,
    peak_dbtp: float,
) -> GainSetting | None:
    """A better setting after the encoded result was measured; None when it is good enough.

    Limiting takes loudness away and AAC adds peaks: neither is known before it is done. `tried`:
    all settings so far, the last one of this result. From the third on a step is shorter, for a
    codec may answer half a decibel by a whole one, and back.
    """
    if result.lufs is None or result.peak_dbtp is None:
        return None
    miss, over = target_lufs - result.lufs, result.peak_dbtp - peak_dbtp
    if abs(miss) <= TOLERANCE_LU and over <= 0:
        return None
    last = tried[-1]
    ceiling = last.ceiling_dbtp if last.ceiling_dbtp is not None else peak_dbtp - CODEC_MARGIN_DB
    lower = ceiling - over - 0.1 if over > 0 else ceiling
    step = 1.0 if len(tried) <= FULL_STEPS else SHORT_STEP
    better = _setting(last.gain_db + step * miss, programme, round(lower, 2))
    return None if better == last else better


def loudness_deviation(
    found: Loudness, *, target_lufs: float, peak_dbtp: float
) -> tuple[float, float]:
    """How wrong a result is: first by its peak, which is a limit, then by its loudness."""
    over = max(0.0, (found.peak_dbtp or peak_dbtp) - peak_dbtp)
    return over, abs((found.lufs if found.lufs is not None else target_lufs) - target_lufs)


class AudioFormat(NamedTuple):
    """How the finished sound is encoded: AAC in MP4, Opus in WebM; bit/s."""

    container: Container = "mp4"
    bitrate: int = 192_000


def audio_encode_args(
    source: str, out: str, *, samples: int, setting: GainSetting, form: AudioFormat
) -> tuple[str, ...]:
    """Arguments that encode the programme's sound once: gain, limiter, codec, exact length."""
    chain = [f"volume={setting.gain_db:.2f}dB:precision=double"]
    if setting.ceiling_dbtp is not None:
        chain += _limiter(setting.ceiling_dbtp)
    chain += ["apad", f"atrim=end_sample={samples}"]
    codec = "libopus" if form.container == "webm" else "aac"
    encoder = ("-c:a", codec, "-b:a", str(form.bitrate), "-map_metadata", "-1")
    filters = ("-af", ",".join(chain))
    return (*GLOBAL, *raw_audio_input(source), *filters, *encoder, "-f", form.container, out)


def _limiter(ceiling_dbtp: float) -> list[str]:
    # True peaks lie between the samples: at four times the rate the limiter sees them.
    # latency=true takes its look-ahead out again, which would shift the sound by 5 ms.
    limit = 10 ** (ceiling_dbtp / 20)
    return [
        "aresample=192000",
        f"alimiter=limit={limit:.5f}:attack=5:release=50:level=false:latency=true",
        "aresample=48000",
    ]
