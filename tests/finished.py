"""Download a finished compilation: its first output and its companion files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipmill.protocol import CompilationState, CompilationView, OutputResult, Plan
from clipmill.protocol.companion_kinds import COMPANION_FILES
from studio import Studio


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished compilation, with its first video in a folder."""

    plan: Plan
    view: CompilationView
    video: Path

    @property
    def output(self) -> OutputResult:
        """Return the first output."""
        return self.view.outputs[0]

    def text(self, suffix: str) -> str:
        """Return the text of a companion file."""
        return (self.video.parent / f"{self.output.name}{suffix}").read_text(encoding="utf-8")

    def manifest(self) -> dict[str, Any]:
        """Return the manifest of hashes."""
        manifest: dict[str, Any] = json.loads(self.text("-manifest.json"))
        return manifest


def rendered(studio: Studio, folder: Path, spec: dict[str, Any]) -> Rendered:
    """Render a spec of library media and download everything."""
    folder.mkdir(exist_ok=True)
    view = studio.render(spec)
    assert view.state is CompilationState.SUCCEEDED, f"{view.reason}: {view.message}"
    output = view.outputs[0]
    video = f"{output.name}.{output.container}"
    for name in (video, *(file.name(output.name) for file in COMPANION_FILES)):
        studio.user.download_output(view.id, name, folder / name)
    return Rendered(studio.user.plan(view.id), view, folder / video)
