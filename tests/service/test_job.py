"""Jobs against a real API, yt-dlp and ffmpeg: rows, frames and exit codes."""

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
    CompilationState,
    CompilationView,
    ExitCode,
    Stage,
)
from clipmill_cli.local.job_processes import JobLauncher, job_environ
from clipmill_job.__main__ import main
from harness import SMALL, Harness, library_clip, running
from sources_server import SourceServer, serve_sources

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
FADE = {"type": "Fade", "duration": "200ms"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips and unusable files that are served."""
    path = tmp_path_factory.mktemp("served")
    clipmaker.clip(path / "a.mp4", rate="25", picture=clipmaker.counter())
    clipmaker.clip(path / "tall.mp4", rate="60", size="180x320", sound=None)
    clipmaker.truncate_file(path / "a.mp4", path / "cut.mp4", 0.6)
    (path / "text.mp4").write_text("plain text in a file named .mp4\n" * 9)
    (path / "empty.mp4").write_bytes(b"")
    playlist = (
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
    )
    (path / "list.mp4").write_text(playlist)
    return path


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[SourceServer]:
    """A web server of the folder."""
    with serve_sources(folder) as server:
        yield server


@pytest.fixture(scope="module")
def local(web: SourceServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API that allows the web server's address, with small limits."""
    state = tmp_path_factory.mktemp("state")
    settings = {"allow_private": (web.address,), "fetch_limit_s": 60, "max_upload_bytes": 5_000_000}
    settings["fetch_backoff_s"] = 1
    with running(state, **settings) as harness:
        yield harness


def run(api: Harness, uid: str, stage: Stage, index: int = 0, generation: int = 1) -> int:
    """Run one task in this process, as a pod would, and return its exit code."""
    key = api.operator.create_key(uid, stage, generation)
    environment = {
        "CLIPMILL_API_URL": api.url,
        "CLIPMILL_API_KEY": key,
        "JOB_COMPLETION_INDEX": str(index),
    }
    return main(environment)


def render(api: Harness, owner: str, spec: dict[str, object]) -> tuple[str, CompilationView]:
    """Register a spec, run every task, and return the uid and the compilation."""
    uid, plan = api.register(owner, spec)
    for index in plan.to_fetch:
        run(api, uid, Stage.FETCH, index)
    if api.operator.plan(uid).state is CompilationState.RENDERING:
        run(api, uid, Stage.ASSEMBLE)
    return uid, api.operator.view(uid)


def download(api: Harness, owner: str, view: CompilationView, path: Path) -> Path:
    """Download the finished video."""
    user = api.client(api.admin.create_key(owner))
    user.download_output(view.id, "main.mp4", path)
    return path


def test_fetch_render_and_join(local: Harness, web: SourceServer, tmp_path: Path) -> None:
    """Two rates, two shapes, a transition, one clip without audio: exact frames, one usage row."""
    owner, _ = local.user()
    clips = [{"url": web.url("a.mp4")}, {"url": web.url("tall.mp4"), "transition": FADE}]
    uid, view = render(local, owner, {"clips": clips, "title": "A: 'title', 100% \\ 🎬"})
    assert view.state is CompilationState.SUCCEEDED, view.message
    frames = 60 + 60 - 6
    assert local.operator.plan(uid).outputs[0].frames == frames == view.outputs[0].frames
    video = download(local, owner, view, tmp_path / "main.mp4")
    assert len(clipmaker.frames(video)) == frames
    times = clipmaker.frame_times(video)
    assert times == [i * (times[1] - times[0]) for i in range(frames)]
    assert clipmaker.frame_numbers(video)[:50] == [int((i + 0.45) * 25 / 30) for i in range(50)]
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
    """Another order reuses every segment, a changed trim renders one; owners share none."""
    owner, user = local.user()
    one, two = library_clip(user, two_seconds), library_clip(user, three_seconds)
    clips = [{"mediaId": one.id, "name": "one"}, {"mediaId": two.id, "name": "two"}]
    _, first = render(local, owner, {"clips": clips})
    assert first.outputs[0].segments.model_dump() == {"total": 2, "reused": 0, "rendered": 2}
    _, again = render(local, owner, {"clips": clips[::-1]})
    assert again.outputs[0].segments.model_dump() == {"total": 2, "reused": 2, "rendered": 0}
    _, edited = render(local, owner, {"clips": [{**clips[0], "end": "1s"}, clips[1]]})
    assert edited.outputs[0].segments.model_dump() == {"total": 2, "reused": 1, "rendered": 1}
    assert edited.outputs[0].frames == 30 + 90
    stranger, other = local.user()
    theirs = library_clip(other, two_seconds)
    _, foreign = render(local, stranger, {"clips": [{"mediaId": theirs.id}]})
    assert foreign.outputs[0].segments.rendered == 1


def test_a_render_task_renders_ahead(local: Harness, two_seconds: Path) -> None:
    """The assemble task joins the segments that a render task has uploaded."""
    owner, user = local.user()
    media = library_clip(user, two_seconds)
    uid, _ = local.register(owner, {"clips": [{"mediaId": media.id}]})
    assert run(local, uid, Stage.RENDER) == ExitCode.OK
    assert run(local, uid, Stage.ASSEMBLE) == ExitCode.OK
    segments = local.operator.view(uid).outputs[0].segments
    assert segments.model_dump() == {"total": 1, "reused": 0, "rendered": 1}
    keys = local.rows("SELECT key FROM segments WHERE owner = :owner", owner=owner)
    assert len(keys) == 1


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
def test_a_bad_source_fails_permanently(
    path: str, code: str | None, local: Harness, web: SourceServer
) -> None:
    """The first attempt ends with exit 64, and the clip is skipped with a code and a message."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": web.url(path)}]})
    assert run(local, uid, Stage.FETCH) == ExitCode.GIVE_UP
    clip = local.operator.view(uid).clips[0]
    assert clip.state is ClipState.SKIPPED
    assert code is None or clip.reason == code
    assert clip.message
    assert "Traceback" not in str(clip.message)


def test_a_failing_source_is_retried(local: Harness, web: SourceServer) -> None:
    """After pauses, by the same process, which fetches the other clip meanwhile."""
    owner, _ = local.user()
    clips = [{"url": web.url("status/500")}, {"url": web.url("a.mp4")}]
    uid, _ = local.register(owner, {"clips": clips, "onClipError": "Skip"})
    assert run(local, uid, Stage.FETCH) == ExitCode.OK
    failed, fetched = local.operator.view(uid).clips
    assert (failed.reason, fetched.state) == ("FetchFailed", ClipState.READY)
    assert "4 attempts" in str(failed.message)
    sql = "SELECT failures, epoch FROM tasks WHERE compilation_id = :c AND stage = 'fetch'"
    rows = local.rows(f"{sql} ORDER BY epoch DESC", c=local.operator.view(uid).id)
    assert rows == [{"failures": 4, "epoch": 4}, {"failures": 0, "epoch": 1}]


def test_one_process_fetches_all_clips(local: Harness, web: SourceServer) -> None:
    """A clip that cannot be fetched stops no other one; nothing is left of one for the next."""
    owner, _ = local.user()
    paths = ("gone.mp4", "a.mp4", "tall.mp4")
    clips = [{"url": web.url(path)} for path in paths]
    uid, _ = local.register(owner, {"clips": clips, "onClipError": "Skip"})
    assert run(local, uid, Stage.FETCH) == ExitCode.GIVE_UP
    states = [clip.state for clip in local.operator.view(uid).clips]
    assert states == [ClipState.SKIPPED, ClipState.READY, ClipState.READY]


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/x.mp4", "http://169.254.169.254/x.mp4", "http://0.0.0.0/x.mp4"]
)
def test_a_redirect_to_a_private_address_is_refused(
    target: str, local: Harness, web: SourceServer
) -> None:
    """The address of each connection is checked, also after a redirect."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": web.url(f"to?{target}")}]})
    assert run(local, uid, Stage.FETCH) == ExitCode.GIVE_UP
    clip = local.operator.view(uid).clips[0]
    assert clip.reason == "ForbiddenURL"


def test_a_redirect_to_an_allowed_address_is_followed(local: Harness, web: SourceServer) -> None:
    """Redirects are followed if their target is allowed."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": web.url(f"to?{web.url('a.mp4')}")}]})
    assert run(local, uid, Stage.FETCH) == ExitCode.OK
    assert local.operator.view(uid).clips[0].state is ClipState.READY


def test_one_clip_in_two_compilations_is_downloaded_once(local: Harness, web: SourceServer) -> None:
    """The second task waits for the first and uses its media."""
    owner, _ = local.user()
    before = web.requests_of("a.mp4")
    first, _ = local.register(owner, {"clips": [{"url": web.url("a.mp4")}]})
    second, _ = local.register(owner, {"clips": [{"url": web.url("a.mp4")}]})
    jobs = [_child(local, uid, Path("/tmp")) for uid in (first, second)]
    assert [job.wait(60) for job in jobs] == [ExitCode.OK, ExitCode.OK]
    sql = "SELECT count(*) AS n FROM media WHERE owner = :o AND kind = 'clip'"
    assert local.rows(sql, o=owner) == [{"n": 1}]
    # yt-dlp requests the page first, then the file.
    assert 1 <= web.requests_of("a.mp4") - before <= 2


def _child(api: Harness, uid: str, scratch: Path, stage: Stage = Stage.FETCH) -> subprocess.Popen:
    key = api.operator.create_key(uid, stage, 1)
    argv = (sys.executable, "-m", "clipmill_job")
    environment = job_environ(api.url, key, 0, scratch)
    return subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL)


def test_the_environment_of_a_job(local: Harness, web: SourceServer, tmp_path: Path) -> None:
    """It has the three variables of a pod, PATH, HOME and TMPDIR."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": web.url("endless.mp4")}]})
    child = JobLauncher(local.url, tmp_path)(
        Stage.FETCH, 0, local.operator.create_key(uid, Stage.FETCH, 1)
    )
    raw = Path(f"/proc/{child.pid}/environ")  # type: ignore[attr-defined]
    _wait_for(lambda: b"CLIPMILL" in raw.read_bytes())
    environment = dict(line.split("=", 1) for line in raw.read_text().split("\0") if line)
    child.terminate()
    general = {"PATH", "HOME", "TMPDIR", "LC_CTYPE"}
    job = {"CLIPMILL_API_URL", "CLIPMILL_API_KEY", "JOB_COMPLETION_INDEX"}
    assert set(environment) - general == job
    assert environment["CLIPMILL_API_URL"] == local.url
    assert environment["HOME"].startswith(str(tmp_path))


def _wait_for(condition: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "timed out"
        time.sleep(0.05)


def test_sigterm_releases_the_task(local: Harness, web: SourceServer, tmp_path: Path) -> None:
    """Exit 1, no child process is left, and the next claim does not wait for the lease."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": web.url("endless.mp4")}]})
    child = _child(local, uid, tmp_path)
    _wait_for(lambda: local.rows("SELECT 1 FROM fetch_locks WHERE owner = :o", o=owner))
    _wait_for(lambda: _children(child.pid))
    children = _children(child.pid)
    child.send_signal(signal.SIGTERM)
    assert child.wait(30) == ExitCode.RETRY
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert local.job(uid, Stage.FETCH).claim(0, "the next").epoch == 2


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def test_a_superseded_job_ends(local: Harness, web: SourceServer, two_seconds: Path) -> None:
    """The key of an ended generation: exit 65."""
    owner, user = local.user()
    media = library_clip(user, two_seconds)
    uid, _ = local.register(owner, {"clips": [{"url": web.url("a.mp4")}]})
    key = local.operator.create_key(uid, Stage.FETCH, 1)
    local.register(owner, {"clips": [{"mediaId": media.id}]}, uid=uid, generation=2)
    environment = {"CLIPMILL_API_URL": local.url, "CLIPMILL_API_KEY": key}
    assert main(environment) == ExitCode.LEASE_LOST


BAD_SETTINGS = [
    ({}, "CLIPMILL_API_URL"),
    ({"CLIPMILL_API_URL": "http://x"}, "CLIPMILL_API_KEY"),
    ({"CLIPMILL_API_KEY": "k"}, "CLIPMILL_API_URL"),
    (
        {
            "CLIPMILL_API_URL": "http://x",
            "CLIPMILL_API_KEY": "k",
            "JOB_COMPLETION_INDEX": "one",
        },
        "JOB_COMPLETION_INDEX",
    ),
]


@pytest.mark.parametrize(("environment", "name"), BAD_SETTINGS)
def test_bad_settings_fail_permanently(
    environment: dict[str, str], name: str, capfd: pytest.CaptureFixture
) -> None:
    """Exit 64, and the log names the variable."""
    assert main(environment) == ExitCode.GIVE_UP
    assert capfd.readouterr().err.startswith(f"BadSettings: {name} ")


def test_several_outputs_from_one_fetch(local: Harness, web: SourceServer, tmp_path: Path) -> None:
    """Each output has its own size, frames, thumbnail and storyboard."""
    owner, user = local.user()
    tall = {"name": "tall", "preset": "custom", "width": 180, "height": 320, "rate": 25}
    outputs = [SMALL, {**tall, "fit": "ContainBlur"}]
    _, view = render(local, owner, {"clips": [{"url": web.url("a.mp4")}], "outputs": outputs})
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
