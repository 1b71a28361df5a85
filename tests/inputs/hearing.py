"""Facts measured in the samples of a rendered file: tones, level, and when the beep begins."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import levels
from inputs import cards
from inputs.recipe import Heard

PRESENT_DB, ABSENT_DB = 15.0, 20.0
SILENT_DB = -60.0
LOUDNESS_LUFS, LOUDNESS_TOLERANCE = -14.0, 1.0


def sound_faults(sound: levels.Sound, heard: Heard | None, length_s: float) -> Iterator[str]:
    """Yield the facts in which samples are not what is to be heard; None is silence."""
    if abs(len(sound) / levels.RATE - length_s) > 0.03:
        yield f"sound: {len(sound) / levels.RATE:.3f} s, not {length_s:.3f} s"
    if heard is None:
        if levels.rms_db(sound) > SILENT_DB:
            yield f"sound: {levels.rms_db(sound):.0f} dB, not silence"
        return
    yield from _tones(sound, heard)
    loudness = levels.loudness(sound) if len(sound) > levels.RATE / 2 else None
    if loudness is not None and abs(loudness - LOUDNESS_LUFS) > LOUDNESS_TOLERANCE:
        yield f"level: {loudness:.1f} LUFS, not {LOUDNESS_LUFS:.0f}"


def _tones(sound: levels.Sound, heard: Heard) -> Iterator[str]:
    inside = levels.at(sound, heard.from_s + 0.1, heard.from_s + 0.8)
    if len(inside) < levels.RATE // 10:
        yield f"sound: only {len(sound) / levels.RATE:.3f} s"
        return
    every = sorted({*heard.left, *heard.right})
    for side, channel, present in (("left", 0, heard.left), ("right", 1, heard.right)):
        one = inside[:, channel : channel + 1]
        db = {hertz: levels.level_at(one, hertz) for hertz in every}
        loudest = max(db.values())
        missing = [hertz for hertz in present if db[hertz] < max(loudest - PRESENT_DB, SILENT_DB)]
        foreign = [h for h in every if h not in present and db[h] > loudest - ABSENT_DB]
        if missing or foreign:
            yield f"sound, {side}: " + ", ".join(f"{h} Hz at {db[h]:.0f} dB" for h in every)
    ends = [(heard.until_s - 0.2, heard.until_s - 0.05, True)]
    if heard.from_s > 0.1:
        ends.append((0.0, heard.from_s - 0.03, False))
    for start_s, end_s, audible in ends:
        part = levels.at(sound, start_s, end_s)
        if len(part) == 0 or (levels.rms_db(part) > SILENT_DB) is not audible:
            yield f"sound from {start_s:.2f} s to {end_s:.2f} s: audible is not {audible}"


def heard_until(sound: levels.Sound, hertz: int) -> float:
    """Return when a tone is last heard, in seconds, to a fiftieth of a second."""
    step = levels.RATE // 50
    parts = [sound[i : i + step] for i in range(0, len(sound) - step + 1, step)]
    audible = [i for i, part in enumerate(parts) if levels.level_at(part, hertz) > SILENT_DB]
    return (audible[-1] + 1) / 50 if audible else 0.0


def beep_at(sound: levels.Sound) -> float | None:
    """Return when the beep begins, in seconds, to about a millisecond."""
    mono = sound.mean(axis=1).astype(np.float64)
    if len(mono) < levels.RATE // 10:
        return None
    turn = np.exp(-2j * np.pi * cards.BEEP_HZ * np.arange(len(mono)) / levels.RATE)
    # The tones lie multiples of 100 Hz away: a mean over 10 ms takes them out.
    window = levels.RATE // 100
    loudness = np.abs(np.convolve(mono * turn, np.ones(window) / window, "same"))
    if loudness.max() < 1e-3:
        return None
    return float(np.argmax(loudness > loudness.max() / 2) / levels.RATE)
