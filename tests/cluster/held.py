"""A Compilation of many clips whose source responds only when a test releases it."""

from __future__ import annotations

from pathlib import Path

from cluster.compilations import Video, source, trimmed_clips

STAGES = ("fetch", "render", "assemble")
# Enough segments for two shards.
CLIPS = 10
FRAMES = CLIPS * 15


class Held:
    """A Compilation whose source does not respond until it is released."""

    def __init__(self, folder: Path, name: str) -> None:
        self.hold = folder / f"held-{name}"
        self.clips = trimmed_clips(CLIPS, source(folder, hold=self.hold.name))
        self.video = Video(name).apply(self.clips)

    def reach(self, stage: str) -> Video:
        """Wait for a running pod of this stage. A stage after the fetch releases the source."""
        if stage != "fetch":
            self.release()
        self.video.running(stage)
        return self.video

    def release(self) -> None:
        """Let the source respond."""
        self.hold.touch()

    def succeeds(self) -> None:
        """Check that it succeeds with every frame, one video, and nothing left over."""
        self.release()
        assert self.video.ended() == "Complete: Succeeded"
        assert self.video.frames() == FRAMES
        assert self.video.condition("Degraded") == {}
        assert self.video.files() == 1
        self.video.settled()
