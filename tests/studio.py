"""A whole render in this process: a spec in, the finished file out, as the pods would do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clipmill.protocol import CompilationView, MediaKind, Stage, State
from clipmill_client.client import Client
from clipmill_job.__main__ import main
from harness import Harness


def run(api: Harness, uid: str, stage: Stage, index: int = 0) -> int:
    """Do one part, as a pod would: its exit code."""
    key = api.operator.mint(uid, stage, 1)
    told = {"CLIPMILL_API_URL": api.url, "CLIPMILL_API_KEY": key}
    return main({**told, "JOB_COMPLETION_INDEX": str(index)})


class Studio:
    """An owner with a library, and an API that renders for it."""

    def __init__(self, api: Harness, folder: Path, **limits: Any) -> None:
        self.api, self.folder = api, folder
        self.owner, self.user = api.user(**limits)

    def upload(self, path: Path, kind: MediaKind = MediaKind.CLIP) -> str:
        """The media id of a file in the library."""
        return self.user.upload_media(path, kind).id

    def render(self, spec: dict[str, Any]) -> CompilationView:
        """The end of a compilation whose clips are all in the library."""
        uid, _ = self.api.register(self.owner, spec)
        if self.api.operator.plan(uid).state is State.RENDERING:
            run(self.api, uid, Stage.ASSEMBLE)
        return self.api.operator.view(uid)

    def video(self, spec: dict[str, Any], output: str = "main") -> Path:
        """The finished file of one output."""
        view = self.render(spec)
        assert view.state is State.SUCCEEDED, f"{view.reason}: {view.message}"
        found = next(one for one in view.outputs if one.name == output)
        path = self.folder / f"{view.id}-{output}.{found.container}"
        user: Client = self.user
        user.download_output(view.id, output, path)
        return path


def custom(width: int = 320, height: int = 180, rate: int = 30, **more: Any) -> dict[str, Any]:
    """A small output."""
    form = {"width": width, "height": height, "rate": rate}
    return {"name": "main", "preset": "custom", **form, **more}
