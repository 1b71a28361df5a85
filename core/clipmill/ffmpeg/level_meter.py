"""Filters that measure sound by small units of time, and write the levels to files.

`clipmill.sound.sound_levels` parses them and computes loudness from them.
"""

from __future__ import annotations

from typing import NamedTuple

from clipmill.spec import AUDIO_RATE

# The two filters of ITU-R BS.1770 at 48 kHz.
K_WEIGHTING = (
    "biquad=b0=1.53512485958697:b1=-2.69169618940638:b2=1.19839281085285"
    ":a0=1:a1=-1.69065929318241:a2=0.73248077421585:r=f64"
    ",biquad=b0=1:b1=-2:b2=1:a0=1:a1=-1.99004745483398:a2=0.99007225036621:r=f64"
)
# True peaks lie between samples: they are seen at four times the sample rate.
OVERSAMPLING = 4


class LevelFiles(NamedTuple):
    """The files of levels, in ffmpeg's working directory.

    Attributes:
        name: Their name without suffix: letters, digits and hyphens only.
        unit: Samples per level.
    """

    name: str
    unit: int

    @property
    def energies(self) -> str:
        """Name of the file of K-weighted levels."""
        return f"{self.name}.energies"

    @property
    def peaks(self) -> str:
        """Name of the file of true peaks."""
        return f"{self.name}.peaks"


def meter_chains(
    pad: str, files: LevelFiles, *, label: str, start: int = 0, end: int | None = None
) -> list[str]:
    """Return the chains that measure a pad and pass its sound on.

    Args:
        pad: Pad with brackets, of 48 kHz stereo.
        files: The files to write.
        label: Label of the pad with the unchanged sound; also the prefix of all inner labels.
        start: First sample that is measured; those before only bring the filters to their state.
        end: One past the last sample that is measured.
    """
    energies = f"{K_WEIGHTING},{_range(start, end, 1)}{_levels(files.unit, 'RMS_level')}"
    rate = AUDIO_RATE * OVERSAMPLING
    peaks = _levels(OVERSAMPLING * files.unit, "Peak_level")
    return [
        f"{pad}asplit=3[{label}][{label}energies][{label}peaks]",
        f"[{label}energies]{energies}{files.energies},anullsink",
        f"[{label}peaks]aresample={rate},{_range(start, end, OVERSAMPLING)}"
        f"{peaks}{files.peaks},anullsink",
    ]


def _range(start: int, end: int | None, factor: int) -> str:
    if not start and end is None:
        return ""
    last = "" if end is None else f":end_sample={end * factor}"
    return f"atrim=start_sample={start * factor}{last},"


def _levels(unit: int, level: str) -> str:
    stats = f"astats=metadata=1:reset=1:measure_perchannel=none:measure_overall={level}"
    return (
        f"asetnsamples=n={unit}:p=0,{stats},ametadata=print:key=lavfi.astats.Overall.{level}:file="
    )
