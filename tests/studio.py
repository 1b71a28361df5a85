"""Render a spec in this process, as the pods would do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clipmill.protocol import CompilationState, CompilationView, MediaKind, Stage
from clipmill_client.client import Client
from clipmill_job.__main__ import main
from harness import Harness


def run(api: Harness, uid: str, stage: Stage, index: int = 0) -> int:
    """Run one task as a pod would. Return its exit code."""
    key = api.operator.create_key(uid, stage, 1)
    environ = {"CLIPMILL_API_URL": api.url, "CLIPMILL_API_KEY": key}
    return main({**environ, "JOB_COMPLETION_INDEX": str(index)})


class Studio:
    """An owner with a media library, and an API that renders for it."""

    def __init__(self, api: Harness, folder: Path, **limits: Any) -> None:
        self.api, self.folder = api, folder
        self.owner, self.user = api.user(**limits)

    def upload(self, path: Path, kind: MediaKind = MediaKind.CLIP) -> str:
        """Upload a file to the library and return its media id."""
        return self.user.upload_media(path, kind).id

    def render(self, spec: dict[str, Any]) -> CompilationView:
        """Render a compilation of library media and return its final view."""
        uid, _ = self.api.register(self.owner, spec)
        if self.api.operator.plan(uid).state is CompilationState.RENDERING:
            run(self.api, uid, Stage.ASSEMBLE)
        return self.api.operator.view(uid)

    def video(self, spec: dict[str, Any], output: str = "main") -> Path:
        """Render a compilation and download one output."""
        view = self.render(spec)
        assert view.state is CompilationState.SUCCEEDED, f"{view.reason}: {view.message}"
        result = next(each for each in view.outputs if each.name == output)
        path = self.folder / f"{view.id}-{output}.{result.container}"
        user: Client = self.user
        user.download_output(view.id, output, path)
        return path


def custom(width: int = 320, height: int = 180, rate: int = 30, **more: Any) -> dict[str, Any]:
    """Return a small output."""
    size = {"width": width, "height": height, "rate": rate}
    return {"name": "main", "preset": "custom", **size, **more}
