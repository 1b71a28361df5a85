"""For random specs the timeline's frames, the segments' frames and the decoded file's are equal."""

from __future__ import annotations

import uuid
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import clipmaker
from clipmill.protocol import ExitCode, MediaKind, Stage, CompilationState
from clipmill_job.__main__ import main
from harness import Harness, running

RATES = ["24", "25", "30000/1001", "60", "vfr"]


def _source(folder: Path, rate: str) -> Path:
    """A clip of 1.3 s; the variable one holds a frame for half of it."""
    path = folder / f"{rate.replace('/', '-')}.mp4"
    sound = None if rate == "24" else "sine=frequency=440:sample_rate=44100"
    if rate == "vfr":
        extra = ("-vf", "select='not(between(n,10,25))'", "-fps_mode", "vfr")
        return clipmaker.clip(path, seconds=1.3, sound=sound, extra=extra)
    return clipmaker.clip(path, seconds=1.3, rate=rate, sound=sound)


class Studio:
    """An API with one owner whose library holds a clip of each rate."""

    def __init__(self, api: Harness, folder: Path) -> None:
        self.api = api
        self.owner, self.user = api.user()
        kind = MediaKind.CLIP
        self.media = [self.user.upload_media(_source(folder, rate), kind).id for rate in RATES]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The studio, for all examples."""
    with running(tmp_path_factory.mktemp("state")) as api:
        yield Studio(api, tmp_path_factory.mktemp("clips"))


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


def _manifest(studio: Studio, drawn: dict[str, Any]) -> dict[str, Any]:
    clips = [
        {
            "mediaId": studio.media[clip["source"]],
            **{k: v for k, v in clip.items() if k != "source"},
        }
        for clip in drawn["clips"]
    ]
    form = {"name": "main", "preset": "custom", "width": 64, "height": 64, "rate": drawn["rate"]}
    spec: dict[str, Any] = {"clips": clips, "outputs": [form]}
    if "transitions" in drawn["extra"]:
        spec["transitions"] = {"mediaIds": studio.media[2:4], "order": "Random", "seed": 3}
    spec |= {name: {"mediaId": studio.media[1]} for name in drawn["extra"] & {"intro", "outro"}}
    return spec


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=specs)
def test_what_is_planned_is_what_is_decoded(
    drawn: dict[str, Any], studio: Studio, tmp_path: Path
) -> None:
    """Mixed and variable rates, any trims, joins and output rate: not a frame more or less."""
    api = studio.api
    uid, plan = api.register(studio.owner, _manifest(studio, drawn))
    output = plan.outputs[0]
    last = output.items[-1]
    assert last.at + last.frames == output.frames
    key = api.operator.mint(uid, Stage.ASSEMBLE, 1)
    order = api.client(key).claim(0, "reader")
    assert order.assemble is not None
    assert sum(segment.frames for segment in order.assemble[0].segments) == output.frames
    api.clock.advance(61)
    assert main({"CLIPMILL_API_URL": api.url, "CLIPMILL_API_KEY": key}) == ExitCode.OK
    view = api.operator.view(uid)
    assert view.state is CompilationState.SUCCEEDED
    path = tmp_path / f"{uuid.uuid4().hex}.mp4"
    studio.user.download_output(view.id, "main.mp4", path)
    times = clipmaker.frame_times(path)
    assert len(times) == output.frames == len(clipmaker.frames(path))
    assert len({b - a for a, b in pairwise(times)}) <= 1
