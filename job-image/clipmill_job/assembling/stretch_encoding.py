"""Encode one stretch of an output's sound, with a limiter where its true peaks need one."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10
from pathlib import Path

from clipmill.ffmpeg.level_meter import LevelFiles
from clipmill.ffmpeg.programme_loudness import (
    AudioFormat,
    EncodedRange,
    GainSetting,
    audio_encode_args,
    first_ceiling,
    next_ceiling,
)
from clipmill.protocol import OutputAssignment
from clipmill.sound.sound_levels import HOP_SAMPLES, SoundLevels
from clipmill.sound.sound_stretches import SoundStretch
from clipmill.spec.base import Model
from clipmill_job.assembling.programme_sound import ProgrammeSound, deadline_frames
from clipmill_job.rendering.attached_levels import read_level_files
from clipmill_job.task_context import TaskContext

# Encodings until the true peak of a stretch is within its limit; more than two are rare.
MAX_ENCODINGS = 4


class EncodedLevels(Model):
    """How a stretch was encoded, and what was measured of it after decoding.

    Attributes:
        gain_db: Gain of all samples.
        ideal_db: Gain that brings the programme before encoding to its target.
        levels: Of the decoded samples that are its own.
    """

    gain_db: float
    ideal_db: float
    levels: SoundLevels


@dataclass(frozen=True, slots=True)
class EncodedStretch:
    """The file of an encoded stretch, with its lead and tail."""

    stretch: SoundStretch
    path: Path
    encoded: EncodedLevels


@dataclass(frozen=True, slots=True)
class StretchEncoder:
    """Encodes stretches, from several threads."""

    context: TaskContext
    output: OutputAssignment
    sound: ProgrammeSound
    folder: Path
    ideal_db: float

    def encode(self, stretch: SoundStretch, gain_db: float) -> EncodedStretch:
        """Return the stretch at this gain, and within the limit of true peaks.

        Raises:
            RetryableError, PermanentError: ffmpeg failed, or a segment is broken.
        """
        raw = self.folder / f"{stretch.key}.f32"
        self.sound.write(stretch.start, stretch.end, raw)
        limit = self.output.true_peak_dbtp
        peak = _decibels(self.sound.peak(stretch.start, stretch.end))
        ceiling = first_ceiling(peak, gain_db, limit)
        best = self._encode(stretch, raw, GainSetting(gain_db, ceiling), 0)
        excess = next_ceiling(ceiling, _decibels(best.encoded.levels.peak), limit)
        for attempt in range(1, MAX_ENCODINGS):
            if excess is None:
                break
            ceiling = excess
            tried = self._encode(stretch, raw, GainSetting(gain_db, ceiling), attempt)
            best = min(best, tried, key=lambda each: each.encoded.levels.peak)
            excess = next_ceiling(ceiling, _decibels(tried.encoded.levels.peak), limit)
        raw.unlink()
        return best

    def _encode(
        self, stretch: SoundStretch, raw: Path, setting: GainSetting, attempt: int
    ) -> EncodedStretch:
        path = self.folder / f"{stretch.key}-{setting.gain_db:.2f}-{attempt}.mka"
        profile = self.output.segments[0].profile
        levels = LevelFiles(f"{self.output.name}-{stretch.first}", HOP_SAMPLES)
        lead, samples = stretch.lead_samples, stretch.end - stretch.start
        args = audio_encode_args(
            str(raw),
            str(path),
            encoded=EncodedRange(samples, lead, lead + stretch.samples),
            setting=setting,
            audio_format=AudioFormat(profile.container, self.output.audio_bitrate),
            levels=levels,
        )
        self.context.run_ffmpeg(args, frames=deadline_frames(samples))
        measured = read_level_files(self.context.scratch, levels, stretch.samples)
        encoded = EncodedLevels(gain_db=setting.gain_db, ideal_db=self.ideal_db, levels=measured)
        return EncodedStretch(stretch, path, encoded)


def _decibels(amplitude: float) -> float:
    return 20 * log10(amplitude) if amplitude > 0 else -inf
