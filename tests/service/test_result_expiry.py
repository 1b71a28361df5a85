"""Results expire: by their spec, by the tier, beyond the newest ones, and with a show's history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clipmill.protocol import CompilationView, Stage, SubmissionAction
from clipmill_api.media.retention import sweep
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from harness import Harness, library_clip, new_manifest, running
from pods import assemble

DAY_S = 86_400


@pytest.fixture
def api(database_url: str, tmp_path: Path, new_postgres: Callable[[], str]) -> Iterator[Harness]:
    """An API of its own on each database, since a sweep is about everything."""
    with running(tmp_path / "state", new_postgres() if database_url else "") as harness:
        yield harness


def rendered(api: Harness, user: Client, file: Path, name: str, **spec: Any) -> CompilationView:
    """Return a compilation that has succeeded."""
    media = library_clip(user, file)
    view = user.create(new_manifest(media.id, name, **spec))
    assemble(api.job(api.uid_of(view.id), Stage.ASSEMBLE), file)
    api.clock.advance(60)
    return user.compilation(view.id)


def names_with_files(user: Client) -> set[str]:
    """Return the names of the compilations whose videos exist."""
    names = set()
    for view in user.compilations().items:
        if not view.outputs:
            continue
        try:
            user.media(view.outputs[0].media_id)
        except PermanentError:
            continue
        names.add(view.name)
    return names


def test_a_result_expires(api: Harness, two_seconds: Path) -> None:
    """The library says when; then files, storage and resource go, and the row at last."""
    _, user = api.user()
    kept = rendered(api, user, two_seconds, "kept")
    view = rendered(api, user, two_seconds, "week", ttlAfterFinished="7d")
    used = user.account().storage_used_bytes
    video = user.media(view.outputs[0].media_id)
    assert video.expires_at is not None
    assert user.media(kept.outputs[0].media_id).expires_at is None
    listed = {media.id: media.expires_at for media in user.library().items}
    assert listed[video.id] == video.expires_at
    api.clock.advance(7 * DAY_S - 600)
    sweep(api.ctx)
    assert names_with_files(user) == {"kept", "week"}
    api.clock.advance(1200)
    sweep(api.ctx)
    sweep(api.ctx)
    assert names_with_files(user) == {"kept"}
    assert user.account().storage_used_bytes == used - video.size_bytes
    (submission,) = api.operator.submissions(SubmissionAction.DELETE)
    reasons = api.rows("SELECT reason FROM tombstones WHERE sha256 = :s", s=video.sha256)
    assert reasons == [{"reason": "result-expired"}]
    api.operator.delete(submission.uid)
    api.clock.advance(91 * DAY_S)
    sweep(api.ctx)
    assert [item.name for item in user.compilations().items] == ["kept"]


def test_the_tier_has_a_default(api: Harness, two_seconds: Path) -> None:
    """It counts for what ends from then on, unless the spec says otherwise."""
    _, user = api.user(result_days=2)
    rendered(api, user, two_seconds, "tier")
    rendered(api, user, two_seconds, "longer", ttlAfterFinished="30d")
    assert user.account().result_days == 2
    api.clock.advance(3 * DAY_S)
    sweep(api.ctx)
    assert names_with_files(user) == {"longer"}


def test_the_newest_results(api: Harness, two_seconds: Path) -> None:
    """Of three results the two newest stay; those of other owners do not count."""
    _, user = api.user()
    _, other = api.user()
    rendered(api, other, two_seconds, "other")
    for name in ("first", "second", "third"):
        rendered(api, user, two_seconds, name)
    sweep(api.ctx)
    assert len(names_with_files(user)) == 3
    assert user.results.keep_newest(2).newest_results == 2
    sweep(api.ctx)
    assert names_with_files(user) == {"second", "third"}
    assert names_with_files(other) == {"other"}
    assert user.results.keep_newest(None).newest_results is None


def test_an_edit_starts_again(api: Harness, two_seconds: Path) -> None:
    """What was about to expire is active again, and expires after its new end only."""
    _, user = api.user()
    view = rendered(api, user, two_seconds, "week", ttlAfterFinished="7d")
    api.clock.advance(8 * DAY_S)
    media = library_clip(user, two_seconds)
    user.edit(view.id, new_manifest(media.id, ttlAfterFinished="7d", title="New").spec)
    sweep(api.ctx)
    assert user.media(view.outputs[0].media_id).expires_at is None


def test_a_video_that_another_compilation_plays(api: Harness, two_seconds: Path) -> None:
    """It stays until that one has ended."""
    _, user = api.user()
    view = rendered(api, user, two_seconds, "week", ttlAfterFinished="1d")
    playing = user.create(new_manifest(view.outputs[0].media_id, "playing"))
    api.clock.advance(2 * DAY_S)
    sweep(api.ctx)
    assert names_with_files(user) == {"week"}
    user.cancel(playing.id)
    sweep(api.ctx)
    assert names_with_files(user) == set()
