"""Timeline, segments and decoded file have the same number of frames, for random specs."""

from __future__ import annotations

import uuid
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import clipmaker
from clipmill.protocol import CompilationState, ExitCode, MediaKind, Stage
from clipmill_job.__main__ import main
from harness import Harness, running

RATES = ["24", "25", "30000/1001", "60", "vfr"]


def _source(folder: Path, rate: str) -> Path:
    """Write a clip of 1.3 s; in the one of variable rate, a frame lasts half a second."""
    path = folder / f"{rate.replace('/', '-')}.mp4"
    sound = None if rate == "24" else "sine=frequency=440:sample_rate=44100"
    if rate == "vfr":
        extra = ("-vf", "select='not(between(n,10,25))'", "-fps_mode", "vfr")
        return clipmaker.clip(path, seconds=1.3, sound=sound, extra=extra)
    return clipmaker.clip(path, seconds=1.3, rate=rate, sound=sound)


class Library:
    """An API with an owner whose library holds a clip of each rate."""

    def __init__(self, api: Harness, folder: Path) -> None:
        self.api = api
        self.owner, self.user = api.user()
        kind = MediaKind.CLIP
        self.media = [self.user.upload_media(_source(folder, rate), kind).id for rate in RATES]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Start an API for all examples."""
    with running(tmp_path_factory.mktemp("state")) as api:
        yield Library(api, tmp_path_factory.mktemp("clips"))


def _spec(draw: st.DrawFn) -> dict[str, Any]:
    milliseconds = st.integers(0, 1000)
    kinds = st.sampled_from(["None", "Fade", "WipeLeft", "FadeBlack"])
    clips = []
    for position in range(draw(st.integers(1, 4))):
        clip: dict[str, Any] = {"source": draw(st.integers(0, len(RATES) - 1))}
        start = draw(milliseconds)
        if draw(st.booleans()):
            clip |= {"start": f"{start}ms", "end": f"{start + draw(st.integers(40, 1300))}ms"}
        if position and draw(st.booleans()):
            overlap = f"{draw(st.integers(40, 700))}ms"
            clip["transition"] = {"type": draw(kinds), "duration": overlap}
        clips.append(clip)
    extra = draw(st.sets(st.sampled_from(["intro", "outro", "transitions"])))
    return {"clips": clips, "extra": extra, "rate": draw(st.sampled_from([24, 25, 30, 50, 60]))}


specs = st.composite(_spec)()


def _manifest(library: Library, example: dict[str, Any]) -> dict[str, Any]:
    clips = [
        {
            "mediaId": library.media[clip["source"]],
            **{k: v for k, v in clip.items() if k != "source"},
        }
        for clip in example["clips"]
    ]
    output = {
        "name": "main",
        "preset": "custom",
        "width": 64,
        "height": 64,
        "rate": example["rate"],
    }
    spec: dict[str, Any] = {"clips": clips, "outputs": [output]}
    if "transitions" in example["extra"]:
        spec["transitions"] = {"mediaIds": library.media[2:4], "order": "Random", "seed": 3}
    spec |= {name: {"mediaId": library.media[1]} for name in example["extra"] & {"intro", "outro"}}
    return spec


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(example=specs)
def test_planned_and_decoded_frames_agree(
    example: dict[str, Any], library: Library, tmp_path: Path
) -> None:
    """The frames are exact for mixed and variable rates, any trims and transitions."""
    api = library.api
    uid, plan = api.register(library.owner, _manifest(library, example))
    output = plan.outputs[0]
    last = output.items[-1]
    assert last.at + last.frames == output.frames
    key = api.operator.create_key(uid, Stage.ASSEMBLE, 1)
    assignment = api.client(key).claim(0, "reader")
    assert assignment.assemble is not None
    assert sum(segment.frames for segment in assignment.assemble[0].segments) == output.frames
    api.clock.advance(61)
    assert main({"CLIPMILL_API_URL": api.url, "CLIPMILL_API_KEY": key}) == ExitCode.OK
    view = api.operator.view(uid)
    assert view.state is CompilationState.SUCCEEDED
    path = tmp_path / f"{uuid.uuid4().hex}.mp4"
    library.user.download_output(view.id, "main.mp4", path)
    times = clipmaker.frame_times(path)
    assert len(times) == output.frames == len(clipmaker.frames(path))
    assert len({b - a for a, b in pairwise(times)}) <= 1
