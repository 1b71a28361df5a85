"""Episodes whose clips a real discover process finds: API, pod and stand-ins of the services."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from clipmill.protocol import ExitCode
from clipmill.protocol.integrations.credential_models import (
    CredentialKind,
    DiscordBot,
    TwitchApplication,
)
from clipmill.shows.show_messages import EpisodeReport, EpisodeState, ShowView
from clipmill_api.credentials.keyring import new_keyring_text
from clipmill_job.__main__ import main
from fake_sources.fake_discord import FakeDiscord, message, reaction
from fake_sources.fake_helix import FakeHelix, clip
from fake_sources.serving import serve_fakes
from harness import Harness, running
from show_pods import register_show

CHANNEL = "112233445566778899"
SOURCES = [
    {"twitch": {"games": ["Chess"], "credentials": "my-twitch"}},
    {"discord": {"channel": CHANNEL, "minimumReactions": 3, "credentials": "my-bot"}},
]


class Episodes:
    """An API, the services that its shows query, and a user with credentials for them."""

    def __init__(self, api: Harness, helix: FakeHelix, discord: FakeDiscord, scratch: Path) -> None:
        self.api, self.helix, self.discord = api, helix, discord
        self._scratch = scratch
        self.owner, self.user = api.user()

    def put_credentials(self, secret: str = "secret-of-tests") -> None:
        """Store the credentials that SOURCES names."""
        twitch = TwitchApplication(
            kind=CredentialKind.TWITCH,
            client_id="clientoftests",
            client_secret=SecretStr(secret),
        )
        bot = DiscordBot(kind=CredentialKind.DISCORD, bot_token=SecretStr("bot-token-of-tests"))
        self.user.credentials.put("my-twitch", twitch)
        self.user.credentials.put("my-bot", bot)

    def play(self, show: ShowView) -> EpisodeReport:
        """Let the next scheduled time come, run its pod, and return the episode."""
        self.api.clock.advance(60)
        (job,) = self.api.operator.shows.tick(0).discover
        environ = {
            "CLIPMILL_API_URL": self.api.url,
            "CLIPMILL_API_KEY": self.api.operator.shows.create_key(job.episode_id),
        }
        assert main(environ, ["discover"]) == ExitCode.OK
        return self.user.shows.episode(job.episode_id)

    def view(self, show: ShowView) -> ShowView:
        """Return the show's current state."""
        return next(v for v in self.api.operator.shows.tick(0).changed if v.id == show.id)


@pytest.fixture
def episodes(tmp_path: Path) -> Iterator[Episodes]:
    """An API whose clock is the services' too."""
    now = datetime.now(UTC)
    helix = FakeHelix(
        [
            clip(i, created_at=now - timedelta(hours=i + 1), creator_name=f"viewer_{i}")
            for i in range(40)
        ]
    )
    discord = FakeDiscord()
    discord.channels[CHANNEL] = [
        message(
            f"https://clips.twitch.tv/Shared{i}",
            written_at=now - timedelta(hours=i + 1),
            reactions=[reaction("🔥", i)],
        )
        for i in range(6)
    ]
    with serve_fakes(helix.respond, discord.respond) as url:
        options = {
            "allow_any_host": True,
            "credential_keys": new_keyring_text(),
            "source_urls": (
                f"twitch={url}/helix",
                f"twitch-auth={url}/oauth2",
                f"discord={url}/api/v10",
            ),
        }
        with running(tmp_path / "state", **options) as api:
            yield Episodes(api, helix, discord, tmp_path)


def test_an_episode_of_two_sources(episodes: Episodes) -> None:
    """The clips with most views are taken, none twice; each source is reported."""
    episodes.put_credentials()
    fields = {"select": {"most": 2}, "concurrencyPolicy": "Allow"}
    show = register_show(episodes.api, episodes.owner, sources=SOURCES, **fields)
    episode = episodes.play(show)
    assert (episode.state, episode.reason) == (EpisodeState.CREATED, "")
    assert (episode.taken, episode.considered) == (2, 43)
    assert [(s.source, s.returned, s.reason) for s in episode.sources] == [(0, 40, ""), (1, 3, "")]
    (submission,) = episodes.api.operator.submissions()
    assert [c.url for c in submission.spec.clips] == [c["url"] for c in episodes.helix.clips[:2]]
    second = episodes.play(show)
    taken = [c.url for c in second.candidates if not c.reason]
    assert taken == [c["url"] for c in episodes.helix.clips[2:4]]


def test_refused_credentials_end_an_episode(episodes: Episodes) -> None:
    """The show is not ready, by one sentence that names the field once, and no secret."""
    episodes.put_credentials(secret="a-wrong-secret")
    sources = SOURCES[:1]
    show = register_show(episodes.api, episodes.owner, sources=sources)
    episode = episodes.play(show)
    assert (episode.state, episode.reason) == (EpisodeState.FAILED, "InvalidCredentials")
    view = episodes.view(show)
    assert (view.ready, view.reason) == (False, "InvalidCredentials")
    assert view.message.startswith("spec.sources[0].twitch.credentials: 'my-twitch'")
    assert view.message.count("sources[0]") == 1
    assert "a-wrong-secret" not in view.message


def test_an_empty_result_skips_an_episode(episodes: Episodes) -> None:
    """There were too few clips, which is no failure; the show says which source was empty."""
    episodes.put_credentials()
    episodes.helix.clips = []
    show = register_show(episodes.api, episodes.owner, sources=SOURCES[:1])
    episode = episodes.play(show)
    assert (episode.state, episode.reason) == (EpisodeState.SKIPPED, "TooFewClips")
    assert [s.reason for s in episode.sources] == ["EmptyResult"]
    view = episodes.view(show)
    assert (view.ready, view.reason) == (False, "EmptyResult")


def test_one_failing_source_does_not_end_an_episode(episodes: Episodes) -> None:
    """The clips of the other one are enough; the show says what is wrong."""
    episodes.put_credentials()
    episodes.discord.closed_channels = {CHANNEL}
    show = register_show(episodes.api, episodes.owner, sources=SOURCES)
    assert episodes.play(show).state == EpisodeState.CREATED
    assert episodes.view(show).reason == "NoAccess"
