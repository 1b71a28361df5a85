"""A finished compilation with all that came with its first output, in a folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipmill.protocol import CompilationView, OutputResult, Plan, State
from clipmill.protocol.result_files import RESULT_FILES
from studio import Studio


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a person has after a render."""

    plan: Plan
    view: CompilationView
    video: Path

    @property
    def output(self) -> OutputResult:
        """The first output."""
        return self.view.outputs[0]

    def text(self, suffix: str) -> str:
        """A text file that came with it."""
        return (self.video.parent / f"{self.output.name}{suffix}").read_text(encoding="utf-8")

    def manifest(self) -> dict[str, Any]:
        """The manifest of hashes."""
        found: dict[str, Any] = json.loads(self.text("-manifest.json"))
        return found


def rendered(studio: Studio, folder: Path, spec: dict[str, Any]) -> Rendered:
    """Render a spec of library media and download everything."""
    folder.mkdir(exist_ok=True)
    view = studio.render(spec)
    assert view.state is State.SUCCEEDED, f"{view.reason}: {view.message}"
    output = view.outputs[0]
    video = f"{output.name}.{output.container}"
    for name in (video, *(file.name(output.name) for file in RESULT_FILES)):
        studio.user.download_output(view.id, name, folder / name)
    return Rendered(studio.user.plan(view.id), view, folder / video)
