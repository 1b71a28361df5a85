"""The sound of a whole output: measured, brought to its loudness, encoded once."""

from __future__ import annotations

from pathlib import Path

from clipmill.ffmpeg import ebur128, programme_loudness
from clipmill.ffmpeg.ebur128 import Level
from clipmill.ffmpeg.programme_loudness import Setting, SoundForm
from clipmill.protocol import MusicMix, OutputAssignment
from clipmill.spec import AUDIO_RATE
from clipmill.timeline import music_window
from clipmill_job.errors import TryAgain
from clipmill_job.rendering.render_task import Work, run_ffmpeg

TRIES = 6
"""Encodings until loudness and peak are right: one or two, more for what is all peaks."""


def encode(work: Work, output: OutputAssignment, raw: Path, samples: int) -> tuple[Path, Level]:
    """Raw samples encoded at the output's loudness, music mixed in; what the meter then finds."""
    goal = {"target_lufs": output.loudness_lufs, "peak_dbtp": output.true_peak_dbtp}
    programme = _measure(work, programme_loudness.raw_input(str(raw)), samples)
    if output.music:
        raw = _mixed(work, output.music, raw, samples)
        mix = _measure(work, programme_loudness.raw_input(str(raw)), samples)
        # The gain of the programme alone, so that music does not move its level.
        programme = Level(mix.lufs if programme.lufs is None else programme.lufs, mix.peak_dbtp)
    setting: Setting | None = programme_loudness.first_setting(programme, **goal)
    tried: list[Setting] = []
    form = SoundForm(output.segments[0].profile.container, output.audio_bitrate)
    best, level = raw.with_suffix(".sound"), ebur128.SILENCE
    while setting is not None and len(tried) < TRIES:
        tried.append(setting)
        out = raw.with_suffix(".try")
        args = programme_loudness.encode_args(
            str(raw), str(out), samples=samples, setting=setting, form=form
        )
        run_ffmpeg(work, args, frames=_frames(samples))
        found = _measure(work, ("-i", f"file:{out}"), samples)
        if len(tried) == 1 or programme_loudness.faults(found, **goal) < programme_loudness.faults(
            level, **goal
        ):
            out.replace(best)
            level = found
        setting = programme_loudness.next_setting(tried, programme, found, **goal)
    return best, level


def _mixed(work: Work, order: MusicMix, programme: Path, samples: int) -> Path:
    """The programme with its music, in raw samples. Raises TryAgain."""
    source, track = (programme.with_name(name) for name in ("music", "music.f32"))
    work.client.download_media(order.media_id, source)
    frames = _frames(samples)
    run_ffmpeg(work, music_window.decode_args(order, str(source), str(track)), frames=frames)
    out = programme.with_name("mix.f32")
    args = music_window.mix_args(order, str(programme), str(track), str(out), samples=samples)
    run_ffmpeg(work, args, frames=frames)
    if out.stat().st_size != programme.stat().st_size:
        said = f"{out.stat().st_size} bytes of sound were mixed, not {programme.stat().st_size}"
        raise TryAgain("BrokenMix", said)
    for done in (source, track, programme):
        done.unlink()
    return out


def _measure(work: Work, source: tuple[str, ...], samples: int) -> Level:
    lines = run_ffmpeg(work, programme_loudness.measure_args(source), frames=_frames(samples))
    return ebur128.level_of("\n".join(lines))


def _frames(samples: int) -> int:
    """For the deadline: as if it were 30 pictures a second."""
    return samples * 30 // AUDIO_RATE
