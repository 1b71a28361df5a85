"""Previews of shows: clips are selected, and nothing else happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clipmill.protocol.integrations.webhook_models import WebhookRequest
from clipmill.shows.show_messages import EpisodeState, SkipReason
from clipmill.spec import CompilationSpec
from clipmill_api.credentials.keyring import new_keyring_text
from harness import Harness, library_clip, running
from show_pods import LIBRARY, clips, discover, register_show


@pytest.fixture
def shows(database_url: str, tmp_path: Path, new_postgres: object) -> Iterator[Harness]:
    """An API of its own, since a tick is about all shows."""
    url = new_postgres() if database_url else ""  # type: ignore[operator]
    options = {"allow_any_host": True, "credential_keys": new_keyring_text()}
    with running(tmp_path / "state", url, **options) as harness:
        yield harness


def test_a_preview_selects_and_renders_nothing(shows: Harness) -> None:
    """Its report is that of an episode; its clips can be taken by the next one."""
    owner, user = shows.user()
    show = register_show(shows, owner, select={"most": 2})
    found = clips(3)
    preview = user.shows.preview(show.id)
    assert (preview.state, preview.reason) == (EpisodeState.DISCOVERING, SkipReason.PREVIEW)
    assert [task.episode_id for task in shows.operator.shows.tick(0).discover] == [preview.id]
    discover(shows, preview.id, found)
    report = user.shows.episode(preview.id)
    assert (report.state, report.reason) == (EpisodeState.SKIPPED, SkipReason.PREVIEW)
    assert (report.taken, report.considered, report.compilation_id) == (2, 3, None)
    assert [clip.reason for clip in report.candidates] == ["", "", "EnoughClips"]
    assert shows.operator.submissions() == []
    episode = user.shows.run(show.id)
    discover(shows, episode.id, found)
    assert user.shows.episode(episode.id).taken == 2
    newest = user.shows.get(show.id).last_episode
    assert newest is not None
    assert newest.id == episode.id


def test_a_preview_stands_in_no_ones_way(shows: Harness) -> None:
    """An episode starts beside it under Forbid, and ended episodes are kept beside it."""
    owner, user = shows.user()
    show = register_show(shows, owner, concurrencyPolicy="Forbid", history={"failed": 1})
    user.shows.preview(show.id)
    episode = user.shows.run(show.id)
    assert episode.state == EpisodeState.DISCOVERING
    discover(shows, episode.id, [])
    shows.clock.advance(60)
    second = user.shows.preview(show.id)
    discover(shows, second.id, clips(1))
    kept = {each.id: each.reason for each in user.shows.episodes(show.id)}
    assert kept[episode.id] == SkipReason.TOO_FEW_CLIPS
    assert kept[second.id] == SkipReason.PREVIEW


def test_a_preview_of_the_library_ends_at_once(shows: Harness, two_seconds: Path) -> None:
    """Without a discover task."""
    owner, user = shows.user()
    media = library_clip(user, two_seconds)
    show = register_show(shows, owner, sources=[LIBRARY])
    preview = user.shows.preview(show.id)
    assert preview.state == EpisodeState.SKIPPED
    assert [clip.media_id for clip in user.shows.episode(preview.id).candidates] == [media.id]


def test_a_preview_notifies_nobody(shows: Harness) -> None:
    """A webhook hears of the skipped episode, and not of the preview before it."""
    owner, user = shows.user()
    request = WebhookRequest.model_validate(
        {"url": "https://example.org/hooks", "events": ["episode.skipped"]}
    )
    user.webhooks.put("my-hook", request)
    show = register_show(shows, owner)
    discover(shows, user.shows.preview(show.id).id, [])
    sql = "SELECT id FROM notifications WHERE owner = :o"
    assert shows.rows(sql, o=owner) == []
    discover(shows, user.shows.run(show.id).id, [])
    assert len(shows.rows(sql, o=owner)) == 1


def test_the_spec_of_an_episode_can_be_read(shows: Harness, two_seconds: Path) -> None:
    """And be sent back as it is, which changes nothing."""
    owner, user = shows.user()
    media = library_clip(user, two_seconds)
    show = register_show(shows, owner, sources=[LIBRARY], template={"title": "No. ${number}"})
    shows.clock.advance(60)
    compilation = str(user.shows.run(show.id).compilation_id)
    spec = user.spec(compilation)
    assert isinstance(spec, CompilationSpec)
    assert (spec.title, [clip.media_id for clip in spec.clips]) == ("No. 1", [media.id])
    assert user.edit(compilation, spec).generation == user.compilation(compilation).generation
