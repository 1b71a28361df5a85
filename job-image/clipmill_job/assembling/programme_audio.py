"""The audio of a whole output: music mixed in, brought to its loudness, encoded in stretches."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from clipmill.ffmpeg import ebur128, music_mix, programme_loudness
from clipmill.ffmpeg.ebur128 import Loudness
from clipmill.protocol import MusicMix, OutputAssignment
from clipmill.sound.sound_levels import loudness_of
from clipmill.sound.sound_stretches import SoundStretch, sound_stretches
from clipmill_client.errors import RetryableError
from clipmill_job.assembling.programme_sound import ProgrammeSound, RawSound, deadline_frames
from clipmill_job.assembling.sound_file import write_sound
from clipmill_job.assembling.stretch_encoding import EncodedStretch, StretchEncoder
from clipmill_job.assembling.stretch_store import StretchStore, stored_gain
from clipmill_job.rendering.segment_rendering import worker_count
from clipmill_job.task_context import TaskContext

# Encodings until the loudness is right: one or two, more for very dynamic audio.
MAX_ENCODINGS = 6


class ProgrammeAudio(NamedTuple):
    """The encoded file, its length in samples, and its loudness as measured."""

    path: Path
    samples: int
    loudness: Loudness


class _Encoding(NamedTuple):
    """All stretches at one gain, and their loudness together."""

    encoded: list[EncodedStretch]
    loudness: Loudness


def encode_programme(
    context: TaskContext, output: OutputAssignment, sound: ProgrammeSound, folder: Path
) -> ProgrammeAudio:
    """Encode sound at the output's loudness, with its music mixed in.

    Args:
        context: The task's.
        output: Its target loudness, true peak, music and format.
        sound: The sound of all segments.
        folder: Where the files are written.

    Raises:
        RetryableError, PermanentError: ffmpeg failed, or a segment is broken.
    """
    mix = _mix_music(context, output.music, sound, folder) if output.music else None
    if mix:
        sound = RawSound(context, mix, output.name, sound)
    stretches = sound_stretches(output)
    store = StretchStore(context, output, folder)
    stored = store.load(stretches)
    ideal_db = programme_loudness.ideal_gain(sound.loudness(), output.loudness_lufs)
    encoder = StretchEncoder(context, output, sound, folder, ideal_db)
    best = _encode(encoder, stretches, stored)
    if mix:
        mix.unlink()
    store.save(best.encoded, stored)
    path = best.encoded[0].path
    if output.segments[0].profile.container == "mp4":
        path = folder / "programme.m4a"
        write_sound(best.encoded, path, samples=sound.samples)
    return ProgrammeAudio(path, sound.samples, best.loudness)


def _encode(
    encoder: StretchEncoder, stretches: Sequence[SoundStretch], stored: dict[str, EncodedStretch]
) -> _Encoding:
    """Encode at corrected gains until the loudness is right; return the best encoding."""
    target_lufs, peak_dbtp = encoder.output.loudness_lufs, encoder.output.true_peak_dbtp
    last = stored_gain(stored, encoder.ideal_db)
    gain: float | None = encoder.ideal_db if last is None else last
    tried: list[float] = []
    encodings: list[_Encoding] = []
    while gain is not None and len(tried) < MAX_ENCODINGS:
        tried.append(gain)
        encodings.append(_encode_at(encoder, stretches, stored, gain))
        gain = programme_loudness.next_gain(tried, encodings[-1].loudness, target_lufs)
    target = {"target_lufs": target_lufs, "peak_dbtp": peak_dbtp}
    return min(
        encodings, key=lambda each: programme_loudness.loudness_deviation(each.loudness, **target)
    )


def _encode_at(
    encoder: StretchEncoder,
    stretches: Sequence[SoundStretch],
    stored: dict[str, EncodedStretch],
    gain_db: float,
) -> _Encoding:
    """Encode all stretches that are not stored at this gain, several at a time."""

    def encode(stretch: SoundStretch) -> EncodedStretch:
        existing = stored.get(stretch.key)
        if existing and existing.encoded.gain_db == gain_db:
            return existing
        return encoder.encode(stretch, gain_db)

    with ThreadPoolExecutor(worker_count()) as pool:
        encoded = list(pool.map(encode, stretches))
    return _Encoding(encoded, _loudness(encoded))


def _loudness(encoded: Sequence[EncodedStretch]) -> Loudness:
    lufs, peak = loudness_of([each.encoded.levels for each in encoded])
    if lufs is None or peak is None:
        return ebur128.Loudness(None, peak)
    return Loudness(round(lufs, 1), round(peak, 1))


def _mix_music(
    context: TaskContext, mix: MusicMix, programme: ProgrammeSound, folder: Path
) -> Path:
    """Return raw samples of the programme with its music. Raises RetryableError."""
    raw, source, track = (folder / name for name in ("programme.f32", "music", "music.f32"))
    programme.write(0, programme.samples, raw)
    context.client.download_media(mix.media_id, source)
    frames = deadline_frames(programme.samples)
    decode_args = music_mix.music_decode_args(mix, str(source), str(track))
    context.run_ffmpeg(decode_args, frames=frames)
    out = folder / "mix.f32"
    mix_args = music_mix.music_mix_args(
        mix, str(raw), str(track), str(out), samples=programme.samples
    )
    context.run_ffmpeg(mix_args, frames=frames)
    expected, actual = raw.stat().st_size, out.stat().st_size
    if actual != expected:
        message = f"the mix has {actual} bytes of samples instead of {expected}"
        raise RetryableError("BrokenMix", message)
    for path in (source, track, raw):
        path.unlink()
    return out
