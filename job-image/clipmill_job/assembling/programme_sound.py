"""The sound of a whole output before it is encoded: ranges of samples, and levels.

It lies in the segments, and is read by ranges; only with music it is mixed to one file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from clipmill.ffmpeg.ebur128 import Loudness
from clipmill.ffmpeg.level_meter import LevelFiles
from clipmill.ffmpeg.programme_loudness import meter_args, raw_audio_input
from clipmill.protocol import Segment
from clipmill.sound.sound_levels import HOP_SAMPLES, SoundLevels, loudness_of, unit_samples
from clipmill.spec import AUDIO_RATE
from clipmill_client.errors import RetryableError
from clipmill_job.assembling.declared_streams import open_declared
from clipmill_job.assembling.join import SegmentFile
from clipmill_job.rendering.attached_levels import attached, read_level_files
from clipmill_job.task_context import TaskContext

# Two channels of 32-bit floats.
SAMPLE_BYTES = 8
COPY_BYTES = 2**20


class ProgrammeSound(Protocol):
    """Samples of a whole output, 48 kHz stereo of 32-bit floats."""

    @property
    def samples(self) -> int:
        """Length in samples."""

    def loudness(self) -> Loudness:
        """Return its loudness, which decides the gain, and its true peak."""

    def peak(self, start: int, end: int) -> float:
        """Return the highest true peak of a range of samples, as amplitude."""

    def write(self, start: int, end: int, out: Path) -> None:
        """Write a range of samples to a file. Raise RetryableError if a segment is broken."""


class _Placed(NamedTuple):
    """A segment within the output."""

    file: SegmentFile
    start: int
    end: int
    levels: SoundLevels


class SegmentSound:
    """The sound of segments, one after the other; each has been measured when it was rendered.

    Args:
        context: The task's.
        files: The segments.
        name: Name of the output.
    """

    def __init__(self, context: TaskContext, files: Sequence[SegmentFile], name: str) -> None:
        self._placed = list(_placed(context, files, name))

    @property
    def samples(self) -> int:
        """Length in samples."""
        return self._placed[-1].end

    def loudness(self) -> Loudness:
        """Return loudness and true peak, from the levels of the segments."""
        return loudness_of([each.levels for each in self._placed])

    def peak(self, start: int, end: int) -> float:
        """Return the highest true peak of all segments in a range."""
        return max((each.levels.peak for each in self._within(start, end)), default=0.0)

    def write(self, start: int, end: int, out: Path) -> None:
        """Write a range of samples to a file. Raise RetryableError if a segment is broken."""
        with out.open("wb") as file:
            for each in self._within(start, end):
                _copy_samples(each, max(start, each.start), min(end, each.end), file)

    def _within(self, start: int, end: int) -> Iterator[_Placed]:
        return (each for each in self._placed if each.start < end and each.end > start)


def _placed(context: TaskContext, files: Sequence[SegmentFile], name: str) -> Iterator[_Placed]:
    start = 0
    for file in files:
        end = start + samples_of(file.segment)
        levels = attached(file.path, SoundLevels) or _measure_segment(context, file, name)
        yield _Placed(file, start, end, levels)
        start = end


def samples_of(segment: Segment) -> int:
    """Return the length of a segment's sound in samples."""
    return segment.frames * AUDIO_RATE // segment.profile.rate


def _measure_segment(context: TaskContext, file: SegmentFile, name: str) -> SoundLevels:
    """Measure a segment that was rendered before levels were kept with it."""
    segment, path = file
    source = ("-i", f"file:{path}")
    files = LevelFiles(f"{name}-segment", unit_samples(segment.profile.rate))
    return measure(context, source, samples_of(segment), files)


def measure(
    context: TaskContext, source: tuple[str, ...], samples: int, files: LevelFiles
) -> SoundLevels:
    """Return the levels of an input of ffmpeg, which it writes to files of this name."""
    context.run_ffmpeg(meter_args(source, files), frames=deadline_frames(samples))
    return read_level_files(context.scratch, files, samples)


def deadline_frames(samples: int) -> int:
    """Return the frames of video of the same duration at 30 frames per second."""
    return samples * 30 // AUDIO_RATE


def _copy_samples(each: _Placed, start: int, end: int, out: BinaryIO) -> None:
    """Append the samples [start, end) of the output, which lie in one segment, to a file."""
    first, last = ((at - each.start) * SAMPLE_BYTES for at in (start, end))
    read = 0
    with open_declared(each.file.path) as container:
        for packet in container.demux(audio=0):
            if packet.size:
                content = bytes(packet)
                out.write(content[max(0, first - read) : max(0, last - read)])
                read += len(content)
    expected = each.end - each.start
    if read != expected * SAMPLE_BYTES:
        key, actual = each.file.segment.key[:12], read // SAMPLE_BYTES
        message = f"segment {key} has {actual} samples instead of {expected}"
        raise RetryableError("BrokenSegment", message)


class RawSound:
    """The sound of a file of raw samples.

    Args:
        context: The task's.
        path: The file.
        name: Name of the output.
        programme: Its part without music, whose loudness decides the gain.
    """

    def __init__(
        self,
        context: TaskContext,
        path: Path,
        name: str,
        programme: ProgrammeSound | None = None,
    ) -> None:
        self._path = path
        self.samples = path.stat().st_size // SAMPLE_BYTES
        files = LevelFiles(f"{name}-mix", HOP_SAMPLES)
        self._levels = measure(context, raw_audio_input(str(path)), self.samples, files)
        self._programme = programme.loudness() if programme else Loudness(None, None)

    def loudness(self) -> Loudness:
        """Return the loudness of the programme without music, and the true peak of all."""
        whole = loudness_of([self._levels])
        lufs = whole.lufs if self._programme.lufs is None else self._programme.lufs
        return Loudness(lufs, whole.peak_dbtp)

    def peak(self, start: int, end: int) -> float:
        """Return the highest true peak of a range of samples, as amplitude."""
        unit = self._levels.unit_samples
        return max(self._levels.peaks[start // unit : -(-end // unit)], default=0.0)

    def write(self, start: int, end: int, out: Path) -> None:
        """Write a range of samples to a file."""
        with self._path.open("rb") as source, out.open("wb") as file:
            source.seek(start * SAMPLE_BYTES)
            left = (end - start) * SAMPLE_BYTES
            while left and (content := source.read(min(left, COPY_BYTES))):
                file.write(content)
                left -= len(content)
