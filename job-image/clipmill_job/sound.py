"""The sound of a whole output: measured, brought to its loudness, encoded once."""

from __future__ import annotations

from pathlib import Path

from clipmill import loudness
from clipmill.contract import AUDIO_RATE, OutputOrder
from clipmill.loudness import Level
from clipmill_job.render import Work, run_ffmpeg

TRIES = 3


def encode(work: Work, output: OutputOrder, raw: Path, samples: int) -> tuple[Path, Level]:
    """AAC of raw samples at the output's loudness, and what the meter then finds."""
    goal = {"target_lufs": output.loudness_lufs, "peak_dbtp": output.true_peak_dbtp}
    programme = _measure(work, loudness.raw_input(str(raw)), samples)
    setting = loudness.first_setting(programme, **goal)
    out = raw.with_suffix(".m4a")
    found = loudness.SILENCE
    for _ in range(TRIES):
        args = loudness.encode_args(str(raw), str(out), samples=samples, setting=setting)
        run_ffmpeg(work, args, frames=_frames(samples))
        found = _measure(work, ("-i", f"file:{out}"), samples)
        better = loudness.next_setting(setting, programme, found, **goal)
        if better is None:
            break
        setting = better
    return out, found


def _measure(work: Work, source: tuple[str, ...], samples: int) -> Level:
    lines = run_ffmpeg(work, loudness.measure_args(source), frames=_frames(samples))
    return loudness.level_of("\n".join(lines))


def _frames(samples: int) -> int:
    """For the deadline: as if it were 30 pictures a second."""
    return samples * 30 // AUDIO_RATE
