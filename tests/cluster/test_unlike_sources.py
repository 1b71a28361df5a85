"""Forty generated sources of unlike kind in one compilation, fetched and rendered by pods."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import pytest

from cluster.compilations import Video
from cluster.kubectl import kubectl
from cluster.release import api
from cluster.world import PUBLIC
from inputs.making import Files
from inputs.matrix import OUTPUT, SOURCES, matrix_clips, matrix_faults
from inputs.measuring import TAGS, read

pytestmark = pytest.mark.usefixtures("installed")
ORDER = 0
ENDS_S = 1500


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The generated files."""
    return Files(tmp_path_factory.mktemp("inputs"))


def served(path: Path, outside: Path) -> str:
    """Serve a file by a name of its own and return its URL."""
    name = f"{uuid.uuid4().hex[:12]}{path.suffix}"
    shutil.copy(path, outside / name)
    (outside / name).chmod(0o644)
    return f"http://{PUBLIC}/unlike/{name}"


def test_forty_unlike_sources(outside: Path, files: Files, tmp_path: Path) -> None:
    """Each is fetched; every frame of the video is of the right clip and moment, tagged alike."""
    recipes, clips = matrix_clips(ORDER)
    for recipe, clip in zip(recipes, clips, strict=True):
        clip["url"] = served(files.of(recipe), outside)
    video = Video("unlike").apply(clips, outputs=[OUTPUT])
    assert video.ended(limit_s=ENDS_S) == "Complete: Succeeded"
    status = video.status()
    assert status["clipsReady"] == f"{SOURCES}/{SOURCES}"
    with api("operator-key") as client:
        plan = client.operator.plan(video.uid)
    with api("owner-key") as client:
        client.download_media(status["outputs"][0]["mediaId"], tmp_path / "out.mp4")
    rendered = read(tmp_path / "out.mp4")
    assert (len(rendered.pictures), rendered.tags) == (plan.outputs[0].frames, TAGS)
    assert matrix_faults(recipes, plan.outputs[0].items, rendered) == []
    video.settled()
    kubectl("delete", "compilation", video.name, "-n", video.namespace)
