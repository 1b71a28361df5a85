"""A Compilation of many shots that the tests bring into each stage, and its right end."""

from __future__ import annotations

from pathlib import Path

from cluster.compilations import Video, shots, source

STAGES = ("fetch", "render", "assemble")
SHOTS = 10
"""Segments enough for two shards."""
FRAMES = SHOTS * 15


class Held:
    """Many shots of one source that the world holds back until it is let go."""

    def __init__(self, folder: Path, name: str) -> None:
        self.gate = folder / f"held-{name}"
        self.clips = shots(SHOTS, source(folder, gate=self.gate.name))
        self.video = Video(name).apply(self.clips)

    def reach(self, stage: str) -> Video:
        """Wait for a pod of that stage at work; the fetch is over then, if it is a later one."""
        if stage != "fetch":
            self.let_go()
        self.video.running(stage)
        return self.video

    def let_go(self) -> None:
        """The source answers."""
        self.gate.touch()

    def succeeds(self) -> None:
        """It ends as if nothing had been: every frame, nothing twice, nothing left over."""
        self.let_go()
        assert self.video.ended() == "Complete: Succeeded"
        assert self.video.frames() == FRAMES
        assert self.video.condition("Degraded") == {}
        assert self.video.files() == 1
        self.video.settled()
