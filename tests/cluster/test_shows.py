"""Shows on the cluster: from a schedule of every minute to the notified video."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

import clipmaker
from clipmill.protocol.integrations.credential_models import CredentialKind, TwitchApplication
from clipmill.protocol.integrations.webhook_models import EventType, WebhookRequest
from cluster import world
from cluster.compilations import SMALL, serve_samples
from cluster.episodes import EVERY_MINUTE, SCHEDULED_AT, Show, next_minute
from cluster.kubectl import get, kubectl, until
from cluster.platforms import ADDRESS, CLIENT_ID, CLIENT_SECRET, URLS, deliveries, platforms
from cluster.release import HERE, VALUES, VIDEOS, api, install, sql

pytestmark = pytest.mark.usefixtures("installed")
SOURCES = {
    **VALUES["sources"],
    "allowPrivate": [f"{world.PUBLIC}:{world.PORT}", f"{ADDRESS}:80"],
    "platformUrls": URLS,
}


@pytest.fixture(scope="module", autouse=True)
def receiver(installed: None, outside: Path) -> Iterator[str]:
    """The platforms outside, and a release that uses them."""
    serve_samples(outside)
    with platforms() as name:
        private = {"name": "CLIPMILL_ALLOW_PRIVATE_WEBHOOKS", "value": f"{ADDRESS}:80"}
        ports = {"webhookPorts": [80]}
        install(sources=SOURCES, api={"extraEnv": [private]}, networkPolicy=ports)
        yield name
        kubectl("delete", "shows", "--all", "-n", VIDEOS, "--wait=false")


def canary() -> str:
    """Return everything that the cluster shows of the job pods."""
    kinds = "compilations,shows,jobs,pods,events"
    return kubectl("get", kinds, "-n", VIDEOS, "-o", "json") + kubectl(
        "logs", "-n", VIDEOS, "-l", "clipmill.dev/stage=discover", "--tail=-1", check=False
    )


def verified(name: str, path: str, secret: str) -> dict[str, int]:
    """Return how often each type of event has arrived at a path, with a right signature."""
    receiver = Webhook(secret)
    contents = [
        receiver.verify(delivery.body, delivery.headers)
        for delivery in deliveries(name)
        if delivery.path == path
    ]
    return Counter(content["type"] for content in contents)


def test_a_show_of_twitch_from_schedule_to_video(
    receiver: str, outside: Path, tmp_path: Path
) -> None:
    """Discovered with credentials, drafted, approved by the API, rendered, and notified."""
    path = f"/hooks/{uuid.uuid4().hex}"
    with api("owner-key") as client:
        events = [EventType.DRAFT_READY, EventType.SUCCEEDED]
        request = WebhookRequest(url=SecretStr(f"http://{ADDRESS}{path}"), events=events)
        hook = f"hook-{uuid.uuid4().hex[:8]}"
        stored = client.webhooks.put(hook, request).secret
        twitch = TwitchApplication(
            kind=CredentialKind.TWITCH,
            client_id=CLIENT_ID,
            client_secret=SecretStr(CLIENT_SECRET),
        )
        client.credentials.put("my-twitch", twitch)
    source = {"twitch": {"games": ["Chess"], "credentials": "my-twitch"}}
    show = Show("twitch", outside).apply(
        sources=[source],
        approval="Required",
        select={"most": 2, "order": "Newest", "clipDuration": "1s"},
        parameters={"game": "Chess"},
        template={"title": "${game} ${number}", "outputs": [SMALL]},
        notify=[hook],
    )
    show.episode("AwaitingApproval")
    show.apply(suspend=True)
    assert stored
    secret = stored.get_secret_value()
    until("the draft is notified", lambda: verified(receiver, path, secret))
    assert verified(receiver, path, secret) == {"compilation.draft_ready": 1}
    video = show.video()
    resource = video.get()
    (owner,) = resource["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("Show", show.name)
    assert resource["metadata"]["annotations"][SCHEDULED_AT]
    assert resource["spec"]["title"] == "Chess 1"
    assert resource["spec"]["quality"] == "Draft"
    assert len(resource["spec"]["clips"]) == 2
    assert all(clip["credit"] for clip in resource["spec"]["clips"])
    assert CLIENT_SECRET not in canary()
    with api("owner-key") as client:
        client.shows.approve(video.status()["compilationId"])
    until("an edit", lambda: video.get()["metadata"]["generation"] >= 2)
    assert video.ended() == "Complete: Succeeded"
    show.episode("Succeeded")
    with api("owner-key") as client:
        client.download_media(video.status()["outputs"][0]["mediaId"], tmp_path / "out.mp4")
    assert len(clipmaker.frames(tmp_path / "out.mp4")) == 60
    both = {"compilation.draft_ready": 1, "compilation.succeeded": 1}
    until("the video is notified", lambda: verified(receiver, path, secret) == both)
    events = get("events", VIDEOS, f"--field-selector=involvedObject.name={show.name}")
    reasons = {event["reason"] for event in events}
    assert reasons >= {"Scheduled", "DiscoverStarted", "EpisodeAwaitsApproval", "EpisodeSucceeded"}


def discovering(show: Show) -> None:
    """Wait until the feed is read."""
    show.discovering()


def fetching(show: Show) -> None:
    """Wait until the clip is fetched."""
    show.release_feed()
    show.video().running("fetch")


def awaiting(show: Show) -> None:
    """Wait until the draft waits for its approval."""
    show.release_feed()
    show.release_clips()
    show.episode("AwaitingApproval")


PHASES = (discovering, fetching, awaiting)
Phase = Callable[[Show], None]


def deleted(show: Show, _: Phase) -> None:
    """Everything goes with the Show: Jobs, pods, Compilations, reservations."""
    uid = show.get()["metadata"]["uid"]
    show.delete()
    until("nothing is left", show.is_gone)
    until("no show", lambda: not sql(f"SELECT id FROM shows WHERE identity = '{uid}'"))
    open_ones = (
        "SELECT r.state FROM reservations r JOIN compilations c ON c.id = r.compilation_id"
        f" WHERE r.state = 'open' AND c.name LIKE '{show.name}%'"
    )
    until("no reservation", lambda: not sql(open_ones))


def suspended(show: Show, _: Phase) -> None:
    """The episode goes on to its end, and no other one is due."""
    show.apply(suspend=True, schedule=EVERY_MINUTE)
    until("it is suspended", lambda: show.condition("Suspended")[0] == "True")
    assert "nextScheduleTime" not in show.status()
    awaiting(show)
    assert show.status()["lastEpisode"]["number"] == 1
    assert len(show.videos()) == 1


def edited(show: Show, phase: Phase) -> None:
    """The next episode has the new template; the one before keeps what it was created with."""
    template = {"title": "new ${number}", "outputs": [SMALL]}
    show.apply(template=template, schedule=next_minute(5))
    show.release_feed()
    show.release_clips()
    until("two episodes", lambda: len(show.videos()) == 2)
    first, second = [video["spec"]["title"] for video in show.videos()]
    assert first == ("new 1" if phase is discovering else f"{show.name} 1")
    assert second == "new 2"


CHANGES = (deleted, suspended, edited)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("phase", PHASES)
def test_a_change_in_a_phase(
    outside: Path, phase: Phase, change: Callable[[Show, Phase], None]
) -> None:
    """What each change does is said at its function. The episode is held for no longer."""
    show = Show(change.__name__, outside, clips=2)
    show.apply(schedule=next_minute(5), approval="Required", select={"most": 1})
    phase(show)
    change(show, phase)
    show.delete()


def test_a_private_address_is_refused_at_once(outside: Path) -> None:
    """The reason is a condition, and no pod is created for it."""
    show = Show("private", outside)
    show.apply(sources=[{"feed": {"url": f"http://{world.PRIVATE}/feed.xml"}}])
    until("a refusal", lambda: show.condition() == ("False", "ForbiddenURL"))
    assert (show.jobs(), show.videos()) == ([], [])
    show.delete()


def test_a_source_that_fails_is_named(outside: Path) -> None:
    """A feed that its host does not have: the reason is in the status, and no clip is taken."""
    show = Show("missing", outside)
    show.apply(sources=[{"feed": {"url": f"http://{world.PUBLIC}/{show.id}/missing.xml"}}])
    assert show.episode("Failed", "Skipped")["reason"]
    assert show.videos() == []
    show.delete()


def test_the_operator_is_killed_while_an_episode_is_discovered(outside: Path) -> None:
    """The next operator goes on: one Job, one Compilation."""
    show = Show("killed", outside).apply(approval="Required")
    show.discovering()
    kubectl("delete", "pod", "-n", HERE, "-l", "app.kubernetes.io/component=operator", "--now")
    show.apply(suspend=True)
    awaiting(show)
    assert len(show.jobs()) == 1
    assert len(show.videos()) == 1
    show.delete()
