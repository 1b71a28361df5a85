"""The audio of a whole output: music mixed in, brought to its loudness, encoded once."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from clipmill.ffmpeg import ebur128, music_mix, programme_loudness
from clipmill.ffmpeg.ebur128 import Loudness
from clipmill.ffmpeg.programme_loudness import AudioFormat, GainSetting
from clipmill.protocol import MusicMix, OutputAssignment
from clipmill.spec import AUDIO_RATE
from clipmill_client.errors import RetryableError
from clipmill_job.task_context import TaskContext

# Encodings until loudness and true peak are right: one or two, more for very dynamic audio.
MAX_ENCODINGS = 6


class ProgrammeAudio(NamedTuple):
    """The encoded file, its length in samples, and its loudness as measured."""

    path: Path
    samples: int
    loudness: Loudness


def encode_programme(
    context: TaskContext, output: OutputAssignment, raw: Path, samples: int
) -> ProgrammeAudio:
    """Encode raw samples at the output's loudness, with its music mixed in.

    Args:
        context: The task's.
        output: Its target loudness, true peak, music and format.
        raw: Samples of all segments; removed if there is music.
        samples: Their number.

    Raises:
        RetryableError, PermanentError: ffmpeg failed.
    """
    programme = _measure(context, programme_loudness.raw_audio_input(str(raw)), samples)
    if output.music:
        raw = _mix_music(context, output.music, raw, samples)
        mix = _measure(context, programme_loudness.raw_audio_input(str(raw)), samples)
        # The gain follows the programme without music, so that music does not change its level.
        lufs = mix.lufs if programme.lufs is None else programme.lufs
        programme = Loudness(lufs, mix.peak_dbtp)
    return _encode(context, output, raw, samples, programme)


def _encode(
    context: TaskContext, output: OutputAssignment, raw: Path, samples: int, programme: Loudness
) -> ProgrammeAudio:
    """Encode with corrected settings until the result is right; keep the best result."""
    target = {"target_lufs": output.loudness_lufs, "peak_dbtp": output.true_peak_dbtp}
    setting: GainSetting | None = programme_loudness.first_setting(programme, **target)
    tried: list[GainSetting] = []
    best = ProgrammeAudio(raw.with_suffix(".sound"), samples, ebur128.SILENCE)
    while setting is not None and len(tried) < MAX_ENCODINGS:
        tried.append(setting)
        path, loudness = _encode_once(context, output, raw, samples, setting)
        if len(tried) == 1 or _deviation(loudness, target) < _deviation(best.loudness, target):
            path.replace(best.path)
            best = best._replace(loudness=loudness)
        setting = programme_loudness.next_setting(tried, programme, loudness, **target)
    return best


def _deviation(loudness: Loudness, target: dict[str, float]) -> tuple[float, float]:
    return programme_loudness.loudness_deviation(loudness, **target)


def _encode_once(
    context: TaskContext, output: OutputAssignment, raw: Path, samples: int, setting: GainSetting
) -> tuple[Path, Loudness]:
    path = raw.with_suffix(".try")
    audio_format = AudioFormat(output.segments[0].profile.container, output.audio_bitrate)
    args = programme_loudness.audio_encode_args(
        str(raw), str(path), samples=samples, setting=setting, audio_format=audio_format
    )
    context.run_ffmpeg(args, frames=_deadline_frames(samples))
    return path, _measure(context, ("-i", f"file:{path}"), samples)


def _mix_music(context: TaskContext, mix: MusicMix, programme: Path, samples: int) -> Path:
    """Return raw samples of the programme with its music. Raises RetryableError."""
    source, track = (programme.with_name(name) for name in ("music", "music.f32"))
    context.client.download_media(mix.media_id, source)
    frames = _deadline_frames(samples)
    decode_args = music_mix.music_decode_args(mix, str(source), str(track))
    context.run_ffmpeg(decode_args, frames=frames)
    out = programme.with_name("mix.f32")
    mix_args = music_mix.music_mix_args(mix, str(programme), str(track), str(out), samples=samples)
    context.run_ffmpeg(mix_args, frames=frames)
    expected, actual = programme.stat().st_size, out.stat().st_size
    if actual != expected:
        message = f"the mix has {actual} bytes of samples instead of {expected}"
        raise RetryableError("BrokenMix", message)
    for path in (source, track, programme):
        path.unlink()
    return out


def _measure(context: TaskContext, source: tuple[str, ...], samples: int) -> Loudness:
    args = programme_loudness.measure_args(source)
    lines = context.run_ffmpeg(args, frames=_deadline_frames(samples))
    return ebur128.parse_loudness("\n".join(lines))


def _deadline_frames(samples: int) -> int:
    """Return the frames of video of the same duration at 30 frames per second."""
    return samples * 30 // AUDIO_RATE
