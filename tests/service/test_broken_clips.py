"""Clips of the library that cannot be played: kept on request, and treated by onClipError."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clipmill.protocol import ClipState, CompilationState, MediaKind, Stage, UploadPurpose
from clipmill_cli.output import listings, terminal
from clipmill_client import Client, PermanentError
from harness import Harness, library_clip, new_manifest
from pods import announcement


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A file that is no video."""
    path = tmp_path / "broken.mp4"
    path.write_text("no video" * 9)
    return path


def _upload(user: Client, path: Path, kind: MediaKind = MediaKind.CLIP) -> str:
    return user.upload_media(path, kind, keep_broken=True).id


def test_a_broken_clip_is_kept_on_request_only(api: Harness, broken: Path) -> None:
    """Its media has a defect and no facts."""
    _, user = api.user()
    with pytest.raises(PermanentError) as refused:
        library_clip(user, broken)
    assert (refused.value.status, refused.value.code) == (422, "NotMedia")
    media = user.media(_upload(user, broken))
    assert media.defect is not None
    assert (media.defect.code, media.facts) == ("NotMedia", None)
    assert broken.name in media.defect.message
    assert _upload(user, broken) == media.id
    with pytest.raises(PermanentError):
        library_clip(user, broken)


def test_an_empty_clip_is_kept(api: Harness, tmp_path: Path) -> None:
    """It has no bytes, and can be downloaded and deleted like any other."""
    _, user = api.user()
    path = tmp_path / "empty.mp4"
    path.touch()
    media = user.media(_upload(user, path))
    assert media.defect is not None
    assert (media.defect.code, media.size_bytes) == ("Empty", 0)
    user.download_media(media.id, tmp_path / "again.mp4")
    user.delete_media(media.id)
    with pytest.raises(PermanentError) as refused:
        library_clip(user, path)
    assert (refused.value.status, refused.value.code) == (422, "Invalid")


@pytest.mark.parametrize("on_error", ["Skip", "Placeholder"])
def test_the_other_clips_play(on_error: str, api: Harness, broken: Path, two_seconds: Path) -> None:
    """The broken one is named with its reason."""
    owner, user = api.user()
    clips = [{"mediaId": library_clip(user, two_seconds).id}, {"mediaId": _upload(user, broken)}]
    uid, plan = api.register(owner, {"clips": clips, "onClipError": on_error})
    assert plan.state is CompilationState.RENDERING
    frames = {"Skip": 60, "Placeholder": 150}
    assert plan.outputs[0].frames == frames[on_error]
    clip = api.operator.view(uid).clips[1]
    assert (clip.state, clip.reason) == (ClipState.SKIPPED, "NotMedia")
    assert clip.message is not None
    assert broken.name in clip.message


@pytest.mark.parametrize(
    ("spec", "reason"),
    [({"onClipError": "Fail"}, "ClipFailed"), ({"minimumClips": 2}, "TooFewClips")],
)
def test_a_broken_clip_fails_where_it_shall(
    spec: dict[str, Any], reason: str, api: Harness, broken: Path, two_seconds: Path
) -> None:
    """At once, before anything is rendered; the dry run says so."""
    owner, user = api.user()
    good = library_clip(user, two_seconds).id
    clips = [{"mediaId": good}, {"mediaId": _upload(user, broken)}]
    plan = user.dry_run(new_manifest(good, **{**spec, "clips": clips}))
    assert (plan.state, plan.reason) == (CompilationState.FAILED, reason)
    uid, _ = api.register(owner, {**spec, "clips": clips})
    view = api.operator.view(uid)
    assert (view.state, view.reason) == (CompilationState.FAILED, reason)
    assert user.account().render_reserved_seconds == 0


def test_nothing_but_broken_clips(api: Harness, broken: Path) -> None:
    """The compilation fails as one whose clips cannot be fetched; it is not refused."""
    owner, user = api.user()
    uid, _ = api.register(owner, {"clips": [{"mediaId": _upload(user, broken)}]})
    view = api.operator.view(uid)
    assert (view.state, view.reason) == (CompilationState.FAILED, "TooFewClips")


def test_a_broken_file_is_a_clip_only(api: Harness, broken: Path, two_seconds: Path) -> None:
    """Any other use is refused, and names the field."""
    owner, user = api.user()
    good, bad = library_clip(user, two_seconds).id, _upload(user, broken)
    image = _upload(user, broken, MediaKind.IMAGE)
    clips = [{"mediaId": good}]
    for field, spec in {
        "spec.intro.mediaId": {"intro": {"mediaId": bad}},
        "spec.music.mediaId": {"music": {"mediaId": bad}},
        "spec.overlays[0].mediaId": {"overlays": [{"mediaId": image}]},
    }.items():
        with pytest.raises(PermanentError) as refused:
            api.register(owner, {"clips": clips, **spec})
        assert refused.value.code == "UnknownMedia"
        assert str(refused.value).startswith(field)


@pytest.mark.parametrize("kind", [MediaKind.INTRO, MediaKind.MUSIC])
def test_other_kinds_are_never_kept_broken(api: Harness, broken: Path, kind: MediaKind) -> None:
    """The field is named."""
    _, user = api.user()
    with pytest.raises(PermanentError) as refused:
        _upload(user, broken, kind)
    assert (refused.value.status, refused.value.code) == (422, "Invalid")


def test_a_job_cannot_keep_a_broken_clip(api: Harness, broken: Path) -> None:
    """A fetched clip that is broken is a failure of its task."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": "https://clips.twitch.tv/Broken"}]})
    job = api.job(uid, Stage.FETCH)
    assignment = job.claim(0, "pod")
    assert assignment.fetch is not None
    task = {"clip_id": assignment.fetch.clip_id, "epoch": assignment.epoch}
    with pytest.raises(PermanentError) as refused:
        job.upload(broken, announcement(broken, UploadPurpose.CLIP, keep_broken=True, **task))
    assert (refused.value.status, refused.value.code) == (422, "Invalid")


def test_the_library_names_the_defect(
    api: Harness, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the place of the format."""
    _, user = api.user()
    listings.show_media(terminal.console(), [user.media(_upload(user, broken))])
    assert "NotMedia" in capsys.readouterr().out
