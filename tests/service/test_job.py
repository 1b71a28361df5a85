"""The job package against a real API, real yt-dlp and the real ffmpeg: rows, frames, exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PIL import Image

import clipmaker
from clipmill.protocol import (
    ClipState,
    CompilationView,
    Directive,
    ExitCode,
    Heartbeat,
    Stage,
    CompilationState,
)
from clipmill_cli.local.job_processes import Jobs, environ
from clipmill_job.__main__ import main
from harness import SMALL, Harness, library_clip, running
from sources_server import Served, serving

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SEAM = {"type": "Fade", "duration": "200ms"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clips that are served."""
    found = tmp_path_factory.mktemp("served")
    clipmaker.clip(found / "a.mp4", rate="25", picture=clipmaker.counter())
    clipmaker.clip(found / "tall.mp4", rate="60", size="180x320", sound=None)
    clipmaker.cut_file(found / "a.mp4", found / "cut.mp4", 0.6)
    (found / "text.mp4").write_text("not a video at all, however it is called\n" * 9)
    (found / "empty.mp4").write_bytes(b"")
    playlist = (
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
    )
    (found / "list.mp4").write_text(playlist)
    return found


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[Served]:
    """A web server of clips."""
    with serving(folder) as served:
        yield served


@pytest.fixture(scope="module")
def local(web: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API that lets the web server's address in, and gives up on a source after 5 s."""
    state = tmp_path_factory.mktemp("state")
    more = {"allow_private": (web.place,), "fetch_limit_s": 5, "max_upload_bytes": 5_000_000}
    with running(state, **more) as harness:
        yield harness


def run(api: Harness, uid: str, stage: Stage, index: int = 0, generation: int = 1) -> int:
    """Do one part in this process, as a pod would: its exit code."""
    key = api.operator.create_key(uid, stage, generation)
    told = {
        "CLIPMILL_API_URL": api.url,
        "CLIPMILL_API_KEY": key,
        "JOB_COMPLETION_INDEX": str(index),
    }
    return main(told)


def rendered(api: Harness, owner: str, spec: dict[str, object]) -> tuple[str, CompilationView]:
    """Register, do every stage, and the end."""
    uid, plan = api.register(owner, spec)
    for index in plan.to_fetch:
        run(api, uid, Stage.FETCH, index)
    if api.operator.plan(uid).state is CompilationState.RENDERING:
        run(api, uid, Stage.ASSEMBLE)
    return uid, api.operator.view(uid)


def result(api: Harness, owner: str, view: CompilationView, path: Path) -> Path:
    """The finished video."""
    user = api.client(api.admin.create_key(owner))
    user.download_output(view.id, "main.mp4", path)
    return path


def test_fetched_rendered_joined(local: Harness, web: Served, tmp_path: Path) -> None:
    """Two rates, two shapes, a seam, one without sound: exact frames, one usage row."""
    owner, _ = local.user()
    clips = [{"url": web.url("a.mp4")}, {"url": web.url("tall.mp4"), "transition": SEAM}]
    uid, view = rendered(local, owner, {"clips": clips, "title": "A: 'title', 100% \\ 🎬"})
    assert view.state is CompilationState.SUCCEEDED, view.message
    frames = 60 + 60 - 6
    assert local.operator.plan(uid).outputs[0].frames == frames == view.outputs[0].frames
    video = result(local, owner, view, tmp_path / "main.mp4")
    assert len(clipmaker.frames(video)) == frames
    times = clipmaker.frame_times(video)
    assert times == [i * (times[1] - times[0]) for i in range(frames)]
    assert clipmaker.numbers(video)[:50] == [int((i + 0.45) * 25 / 30) for i in range(50)]
    with av.open(str(video)) as container:
        assert container.metadata["title"] == "A: 'title', 100% \\ 🎬"
        audio = container.streams.audio[0]
        assert abs(float(audio.duration * audio.time_base) - frames / 30) < 0.03
    user = local.client(local.admin.create_key(owner))
    media = user.media(str(view.clips[0].media_id))
    user.download_media(str(media.thumbnail_id), tmp_path / "still.jpg")
    with Image.open(tmp_path / "still.jpg") as still:
        assert still.size == (480, 270)
    sql = "SELECT seconds FROM render_usage WHERE compilation_id = :c"
    assert local.rows(sql, c=view.id) == [{"seconds": 4}]


def test_nothing_is_rendered_twice(local: Harness, two_seconds: Path, three_seconds: Path) -> None:
    """Another order and another compilation reuse every segment; a changed trim renders one."""
    owner, user = local.user()
    one, two = library_clip(user, two_seconds), library_clip(user, three_seconds)
    clips = [{"mediaId": one.id, "name": "one"}, {"mediaId": two.id, "name": "two"}]
    _, first = rendered(local, owner, {"clips": clips})
    assert first.outputs[0].segments.model_dump() == {"total": 2, "reused": 0, "rendered": 2}
    _, again = rendered(local, owner, {"clips": clips[::-1]})
    assert again.outputs[0].segments.model_dump() == {"total": 2, "reused": 2, "rendered": 0}
    _, edited = rendered(local, owner, {"clips": [{**clips[0], "end": "1s"}, clips[1]]})
    assert edited.outputs[0].segments.model_dump() == {"total": 2, "reused": 1, "rendered": 1}
    assert edited.outputs[0].frames == 30 + 90
    stranger, other = local.user()
    theirs = library_clip(other, two_seconds)
    _, foreign = rendered(local, stranger, {"clips": [{"mediaId": theirs.id}]})
    assert foreign.outputs[0].segments.rendered == 1


def test_render_parts_make_segments_ahead(local: Harness, two_seconds: Path) -> None:
    """A render part leaves segments; the assemble part then renders none. Remove it: same result."""
    owner, user = local.user()
    media = library_clip(user, two_seconds)
    uid, _ = local.register(owner, {"clips": [{"mediaId": media.id}]})
    assert run(local, uid, Stage.RENDER) == ExitCode.OK
    assert run(local, uid, Stage.ASSEMBLE) == ExitCode.OK
    assert local.operator.view(uid).outputs[0].segments.reused == 1


BAD = [
    ("cut.mp4", "Truncated"),
    ("text.mp4", None),
    ("empty.mp4", "Empty"),
    ("list.mp4", None),
    ("gone.mp4", "SourceGone"),
    ("to?http://[::1]:80/x.mp4", None),
    ("status/403", "SourceGone"),
    ("endless.mp4", "TooLarge"),
]


@pytest.mark.parametrize(("path", "code"), BAD)
def test_a_bad_source_is_given_up(path: str, code: str | None, local: Harness, web: Served) -> None:
    """One try, exit 64, a code and a sentence that names the trouble; the rest goes on."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": web.url(path)}]})
    assert run(local, uid, Stage.FETCH) == ExitCode.GIVE_UP
    clip = local.operator.view(uid).clips[0]
    assert clip.state is ClipState.SKIPPED
    assert code is None or clip.reason == code
    assert len(str(clip.message)) > 15
    assert "Traceback" not in str(clip.message)


def test_a_failing_source_is_tried_again(local: Harness, web: Served) -> None:
    """A 500 is no verdict on the clip: exit 1, the clip still waits, the lease is free at once."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": web.url("status/500")}]})
    assert run(local, uid, Stage.FETCH) == ExitCode.RETRY
    assert run(local, uid, Stage.FETCH) == ExitCode.RETRY
    assert local.operator.view(uid).clips[0].state is ClipState.WAITING


@pytest.mark.parametrize(
    "where", ["http://127.0.0.1:1/x.mp4", "http://169.254.169.254/x.mp4", "http://0.0.0.0/x.mp4"]
)
def test_a_redirect_into_a_private_net_is_refused(where: str, local: Harness, web: Served) -> None:
    """The address of each connection is judged, wherever the last answer pointed."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": web.url(f"to?{where}")}]})
    assert run(local, uid, Stage.FETCH) == ExitCode.GIVE_UP
    clip = local.operator.view(uid).clips[0]
    assert clip.reason == "ForbiddenURL"
    assert "not an address of the public internet" in str(clip.message)


def test_a_redirect_to_an_allowed_address_is_followed(local: Harness, web: Served) -> None:
    """A redirect as such is nothing bad."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": web.url(f"to?{web.url('a.mp4')}")}]})
    assert run(local, uid, Stage.FETCH) == ExitCode.OK
    assert local.operator.view(uid).clips[0].state is ClipState.READY


def test_one_clip_in_two_compilations_is_downloaded_once(local: Harness, web: Served) -> None:
    """The second part waits for the first and takes its media."""
    owner, _ = local.user()
    before = web.requests_of("a.mp4")
    first, _ = local.register(owner, {"clips": [{"url": web.url("a.mp4")}]})
    second, _ = local.register(owner, {"clips": [{"url": web.url("a.mp4")}]})
    jobs = [_child(local, uid, Path("/tmp")) for uid in (first, second)]
    assert [job.wait(60) for job in jobs] == [ExitCode.OK, ExitCode.OK]
    sql = "SELECT count(*) AS n FROM media WHERE owner = :o AND kind = 'clip'"
    assert local.rows(sql, o=owner) == [{"n": 1}]
    # yt-dlp looks at a page first, then fetches: one fetch is at most two requests.
    assert 1 <= web.requests_of("a.mp4") - before <= 2


def _child(api: Harness, uid: str, scratch: Path, stage: Stage = Stage.FETCH) -> subprocess.Popen:
    key = api.operator.create_key(uid, stage, 1)
    argv = (sys.executable, "-m", "clipmill_job")
    told = environ(api.url, key, 0, scratch)
    return subprocess.Popen(argv, env=told, stdin=subprocess.DEVNULL)


def test_a_child_is_told_an_url_and_a_key(local: Harness, web: Served, tmp_path: Path) -> None:
    """The process's real environment: the three variables of a pod, PATH, HOME and TMPDIR."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": web.url("endless.mp4")}]})
    child = Jobs(local.url, tmp_path)(Stage.FETCH, 0, local.operator.create_key(uid, Stage.FETCH, 1))
    raw = Path(f"/proc/{child.pid}/environ")  # type: ignore[attr-defined]
    _until(lambda: b"CLIPMILL" in raw.read_bytes())
    found = dict(line.split("=", 1) for line in raw.read_text().split("\0") if line)
    child.dismiss()
    allowed = {"PATH", "HOME", "TMPDIR", "LC_CTYPE"}
    ours = {"CLIPMILL_API_URL", "CLIPMILL_API_KEY", "JOB_COMPLETION_INDEX"}
    assert set(found) - allowed == ours
    assert found["CLIPMILL_API_URL"] == local.url
    assert found["HOME"].startswith(str(tmp_path))


def _until(true: object, seconds: float = 30) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


def test_asked_to_leave_it_frees_its_part(local: Harness, web: Served, tmp_path: Path) -> None:
    """SIGTERM: exit 1, no child of its own left, and the next one need not wait for the lease."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": web.url("endless.mp4")}]})
    child = _child(local, uid, tmp_path)
    _until(lambda: local.rows("SELECT 1 FROM fetch_locks WHERE owner = :o", o=owner))
    _until(lambda: _children(child.pid))
    below = _children(child.pid)
    child.send_signal(signal.SIGTERM)
    assert child.wait(30) == ExitCode.RETRY
    assert not any(Path(f"/proc/{pid}").exists() for pid in below)
    assert local.job(uid, Stage.FETCH).claim(0, "the next").epoch == 2


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def test_a_superseded_job_leaves(local: Harness, web: Served, two_seconds: Path) -> None:
    """An ended generation's key: exit 65, and nothing is told."""
    owner, user = local.user()
    media = library_clip(user, two_seconds)
    uid, _ = local.register(owner, {"clips": [{"url": web.url("a.mp4")}]})
    key = local.operator.create_key(uid, Stage.FETCH, 1)
    local.register(owner, {"clips": [{"mediaId": media.id}]}, uid=uid, generation=2)
    told = {"CLIPMILL_API_URL": local.url, "CLIPMILL_API_KEY": key}
    assert main(told) == ExitCode.LEASE_LOST
    reply = local.client(key).heartbeat(Heartbeat(index=0, epoch=1, percent=1))
    assert reply.directive is Directive.STOP


@pytest.mark.parametrize("told", [{}, {"CLIPMILL_API_URL": "http://x"}, {"CLIPMILL_API_KEY": "k"}])
def test_without_settings_it_gives_up(told: dict[str, str], capfd: pytest.CaptureFixture) -> None:
    """What is missing is named; there is no use in trying again."""
    assert main(told) == ExitCode.GIVE_UP
    assert "is not set" in capfd.readouterr().err


def test_several_outputs_from_one_fetch(local: Harness, web: Served, tmp_path: Path) -> None:
    """Two forms, one media row; each has its frames, its stills and its own size."""
    owner, user = local.user()
    tall = {"name": "tall", "preset": "custom", "width": 180, "height": 320, "rate": 25}
    outputs = [SMALL, {**tall, "fit": "ContainBlur"}]
    _, view = rendered(local, owner, {"clips": [{"url": web.url("a.mp4")}], "outputs": outputs})
    sizes = {}
    for output in view.outputs:
        path = tmp_path / f"{output.name}.mp4"
        user.download_output(view.id, path.name, path)
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            sizes[output.name] = (stream.width, stream.height, len(clipmaker.frames(path)))
        user.download_output(view.id, f"{output.name}-storyboard.png", tmp_path / "s.png")
        assert (tmp_path / "s.png").read_bytes()[:4] == b"\x89PNG"
        user.download_output(view.id, f"{output.name}.jpg", tmp_path / "t.jpg")
        assert (tmp_path / "t.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert sizes == {"main": (320, 180, 60), "tall": (180, 320, 50)}
    assert json.dumps(view.outputs[0].spent_s)
