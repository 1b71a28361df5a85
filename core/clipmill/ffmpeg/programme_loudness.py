"""Bring a whole programme to its loudness: choose one gain, limit true peaks where needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clipmill.ffmpeg.ebur128 import Loudness
from clipmill.ffmpeg.level_meter import LevelFiles, meter_chains
from clipmill.ffmpeg.segment_args import GLOBAL
from clipmill.protocol.encoding_profile import Container

# Largest gain of a programme, up or down, so that hiss is not raised to full level.
GAIN_LIMIT_DB = 30.0
# AAC at 192 kbit/s may add this much to a true peak, so the limiter's ceiling is lower by it.
CODEC_MARGIN_DB = 0.7
TOLERANCE_LU = 0.4
# Gains are multiples of it, so that a small edit seldom changes the gain of all other sound.
GAIN_STEP_DB = 0.1
# Stored sound keeps its gain while the gain that the programme asks for differs by less.
GAIN_HYSTERESIS_DB = 0.25
# From this bit rate on, the encoder's fast search leaves noise above the masking threshold in
# fewer bands than its slow one, in half the time.
FAST_SEARCH_BITRATE = 160_000
# Number of attempts with full correction, and the share of the correction in later ones.
FULL_STEPS, SHORT_STEP = 2, 0.6


class GainSetting(NamedTuple):
    """The gain of the programme, and a stretch's limiter ceiling (None for no limiter)."""

    gain_db: float
    ceiling_dbtp: float | None


class AudioFormat(NamedTuple):
    """How the finished audio is encoded: AAC in MP4, Opus in WebM; bit rate in bit/s."""

    container: Container = "mp4"
    bitrate: int = 192_000


def raw_audio_input(path: str) -> tuple[str, ...]:
    """Return the input arguments of raw samples. Without a container, nothing shifts them."""
    return ("-f", "f32le", "-ar", "48000", "-ch_layout", "stereo", "-i", f"file:{path}")


def meter_args(source: tuple[str, ...], files: LevelFiles) -> tuple[str, ...]:
    """Return arguments that write the levels of an input to files."""
    graph = ";".join(meter_chains("[0:a:0]", files, label="heard"))
    return (*GLOBAL, *source, "-filter_complex", graph, "-map", "[heard]", "-f", "null", "-")


def ideal_gain(programme: Loudness, target_lufs: float) -> float:
    """Return the gain in dB that brings a programme to its target; 0 of silence."""
    return 0.0 if programme.lufs is None else _allowed(target_lufs - programme.lufs)


def next_gain(tried: Sequence[float], result: Loudness, target_lufs: float) -> float | None:
    """Return a better gain for the next encoding, or None if the result is good enough.

    The effect of limiter and codec on loudness is only known after encoding. From the third
    attempt on the correction is reduced, since a codec may answer a change of half a decibel by a
    whole one, and oscillate.

    Args:
        tried: All gains so far; the last one gave the result.
        result: Loudness of the encoded sound.
        target_lufs: Target loudness.
    """
    if result.lufs is None or abs(target_lufs - result.lufs) <= TOLERANCE_LU:
        return None
    step = 1.0 if len(tried) <= FULL_STEPS else SHORT_STEP
    gain = _allowed(tried[-1] + step * (target_lufs - result.lufs))
    return None if gain == tried[-1] else gain


def _allowed(gain_db: float) -> float:
    limited = max(-GAIN_LIMIT_DB, min(GAIN_LIMIT_DB, gain_db))
    return round(round(limited / GAIN_STEP_DB) * GAIN_STEP_DB, 2)


def first_ceiling(peak_dbtp: float, gain_db: float, limit_dbtp: float) -> float | None:
    """Return the limiter's ceiling for sound of this true peak; None if it needs no limiter."""
    ceiling = limit_dbtp - CODEC_MARGIN_DB
    return ceiling if peak_dbtp + gain_db > ceiling else None


def next_ceiling(last: float | None, result_dbtp: float, limit_dbtp: float) -> float | None:
    """Return a lower ceiling for encoded sound beyond the limit; None if it is within it."""
    excess = result_dbtp - limit_dbtp
    if excess <= 0:
        return None
    ceiling = limit_dbtp - CODEC_MARGIN_DB if last is None else last
    return round(ceiling - (excess + 0.1 if last is not None else 0), 2)


def loudness_deviation(
    result: Loudness, *, target_lufs: float, peak_dbtp: float
) -> tuple[float, float]:
    """Return the deviation of a result for comparison: first of its peak, then its loudness.

    The peak comes first, since its limit is strict.
    """
    excess = max(0.0, (result.peak_dbtp or peak_dbtp) - peak_dbtp)
    lufs = result.lufs if result.lufs is not None else target_lufs
    return excess, abs(lufs - target_lufs)


class EncodedRange(NamedTuple):
    """The number of samples that are encoded, and the range of them that is measured."""

    samples: int
    start: int
    end: int


def audio_encode_args(
    source: str,
    out: str,
    *,
    encoded: EncodedRange,
    setting: GainSetting,
    audio_format: AudioFormat,
    levels: LevelFiles,
) -> tuple[str, ...]:
    """Return arguments that encode raw samples, decode the result, and measure its levels.

    Args:
        source: Path of the raw samples.
        out: Path of the encoded file.
        encoded: Length of the source, and what is measured.
        setting: Gain and ceiling.
        audio_format: Codec and bit rate.
        levels: The files of levels.
    """
    chain = [f"volume={setting.gain_db:.2f}dB:precision=double"]
    if setting.ceiling_dbtp is not None:
        chain += _limiter(setting.ceiling_dbtp)
    chain += ["apad", f"atrim=end_sample={encoded.samples}"]
    measured = {"start": encoded.start, "end": encoded.end}
    graph = ";".join(meter_chains("[dec:0]", levels, label="heard", **measured))
    return (
        *(*GLOBAL, *raw_audio_input(source), "-af", ",".join(chain)),
        *(*_encoder(audio_format), "-map_metadata", "-1", f"file:{out}", "-dec", "0:0"),
        *("-filter_complex", graph, "-map", "[heard]", "-f", "null", "-"),
    )


def _encoder(audio_format: AudioFormat) -> tuple[str, ...]:
    bitrate = ("-b:a", str(audio_format.bitrate))
    if audio_format.container == "webm":
        return ("-c:a", "libopus", *bitrate, "-f", "webm")
    # The fast search would cut at 18 kHz.
    fast = ("-aac_coder", "fast", "-cutoff", "20000")
    search = fast if audio_format.bitrate >= FAST_SEARCH_BITRATE else ()
    return ("-c:a", "aac", *search, *bitrate, "-f", "matroska")


def _limiter(ceiling_dbtp: float) -> list[str]:
    # True peaks lie between samples: the limiter sees them at four times the sample rate.
    # latency=true compensates its look-ahead, which would shift the audio by 5 ms.
    limit = 10 ** (ceiling_dbtp / 20)
    return [
        "aresample=192000",
        f"alimiter=limit={limit:.5f}:attack=5:release=50:level=false:latency=true",
        "aresample=48000",
    ]
