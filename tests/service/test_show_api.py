"""Shows through the API: registration, episodes, discovery, approval, history."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from clipmaker import clip
from clipmill.protocol import (
    CompilationState,
    Directive,
    Heartbeat,
    Stage,
    SubmissionAction,
    TaskFailure,
)
from clipmill.protocol.integrations.credential_models import (
    CredentialKind,
    DiscordBot,
    TwitchApplication,
)
from clipmill.protocol.integrations.webhook_models import WebhookRequest
from clipmill.shows.candidates import DiscoverResult, SourceReport
from clipmill.shows.show_messages import EpisodeState, EpisodeView, FailedDiscovery, ShowView
from clipmill.spec import Quality
from clipmill_api.credentials.keyring import new_keyring_text
from clipmill_client.client import Client
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from harness import Harness, StillClock, library_clip, running
from pods import assemble, fetch
from show_pods import FEED, LIBRARY, clips, discover, discover_pod, register_show, show_spec

MINUTE_S = 60
RECEIVER = "https://receiver.example.org/hook"
EVENTS = ["episode.skipped", "compilation.accepted"]


@pytest.fixture
def shows(database_url: str, tmp_path: Path, new_postgres: object) -> Iterator[Harness]:
    """An API of its own, since a tick is about all shows."""
    url = new_postgres() if database_url else ""  # type: ignore[operator]
    options = {"allow_any_host": True, "credential_keys": new_keyring_text()}
    with running(tmp_path / "state", url, clock=StillClock(), **options) as harness:
        yield harness


def code_of(call: object) -> str:
    """Return the code of a call's error."""
    with pytest.raises(ClientError) as refused:
        call()  # type: ignore[operator]
    return refused.value.code


def started(api: Harness, user: Client, show: ShowView) -> EpisodeView:
    """Let the next scheduled time come, and return its episode."""
    api.clock.advance(MINUTE_S)
    api.operator.shows.tick(0)
    return user.shows.episodes(show.id)[0]


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a draft of 2 s looks like: 30 frames."""
    return clip(tmp_path_factory.mktemp("drafts") / "draft.mp4", seconds=1)


def rendered(api: Harness, episode: EpisodeView, file: Path, output: Path | None = None) -> None:
    """Play all pods of an episode's compilation until it has succeeded."""
    uid = api.uid_of(episode.compilation_id)
    generation = api.operator.plan(uid).generation
    job = api.job(uid, Stage.FETCH, generation)
    for index in api.operator.plan(uid).to_fetch:
        fetch(job, index, file)
    assemble(api.job(uid, Stage.ASSEMBLE, generation), output or file)


def test_a_show_makes_episodes(shows: Harness, two_seconds: Path) -> None:
    """Registered, due, discovered, rendered: each step shows in the view of the show."""
    owner, user = shows.user()
    show = register_show(shows, owner, name="chess", select={"most": 2, "clipDuration": "1s"})
    assert (show.ready, show.generation, show.last_episode) == (True, 1, None)
    assert show.next_at is not None
    shows.clock.advance(MINUTE_S)
    tick = shows.operator.shows.tick(0)
    (job,) = tick.discover
    assert (job.show_uid, job.show_name, job.owner) == (show.uid, "chess", owner)
    discover(shows, job.episode_id, clips(3))
    (episode,) = user.shows.episodes(show.id)
    assert (episode.state, episode.number) == (EpisodeState.CREATED, 1)
    assert (episode.taken, episode.considered) == (2, 3)
    (submission,) = shows.operator.submissions()
    assert submission.show is not None
    assert (submission.show.name, submission.show.uid) == ("chess", show.uid)
    assert (submission.show.episode, submission.show.scheduled_at) == (1, episode.scheduled_at)
    assert (submission.name, submission.spec.quality) == (episode.name, Quality.FINAL)
    assert [c.title for c in submission.spec.clips] == ["Clip 0", "Clip 1"]
    rendered(shows, episode, two_seconds)
    view = next(v for v in shows.operator.shows.tick(tick.cursor).changed if v.id == show.id)
    assert view.last_episode is not None
    assert view.last_episode.state == EpisodeState.SUCCEEDED
    assert (view.last_successful_at is not None, view.last_at) == (True, episode.scheduled_at)
    report = user.shows.episode(episode.id)
    assert [c.reason for c in report.candidates] == ["", "", "EnoughClips"]


def test_a_library_needs_no_pod(shows: Harness, two_seconds: Path) -> None:
    """The API answers library sources itself, and never plays a file twice."""
    owner, user = shows.user()
    media = library_clip(user, two_seconds)
    show = register_show(shows, owner, sources=[LIBRARY], history={"failed": 5})
    episode = started(shows, user, show)
    assert episode.state == EpisodeState.CREATED
    (submission,) = shows.operator.submissions()
    assert [c.media_id for c in submission.spec.clips] == [media.id]
    rendered(shows, episode, two_seconds)
    again = started(shows, user, show)
    assert (again.state, again.reason) == (EpisodeState.SKIPPED, "TooFewClips")
    assert [c.reason for c in user.shows.episode(again.id).candidates] == ["Used"]


def test_many_shows_of_an_owner_are_due_at_once(shows: Harness, two_seconds: Path) -> None:
    """Each has its draft, though a person may start only a few at a time."""
    owner, user = shows.user()
    library_clip(user, two_seconds)
    names = [f"show-{i}" for i in range(shows.settings.max_drafts + 2)]
    spec = {"sources": [LIBRARY], "approval": "Required"}
    made = [register_show(shows, owner, name=name, **spec) for name in names]
    shows.clock.advance(MINUTE_S)
    shows.operator.shows.tick(0)
    states = {user.shows.episodes(show.id)[0].state for show in made}
    assert states == {EpisodeState.CREATED}


def test_an_episode_that_failed_frees_its_clips(shows: Harness, two_seconds: Path) -> None:
    """They were not played, so that the next episode may play them."""
    owner, user = shows.user()
    library_clip(user, two_seconds)
    show = register_show(shows, owner, sources=[LIBRARY], history={"failed": 5})
    first = started(shows, user, show)
    user.cancel(str(first.compilation_id))
    second = started(shows, user, show)
    assert [e.state for e in user.shows.episodes(show.id)] == [
        EpisodeState.CREATED,
        EpisodeState.FAILED,
    ]
    assert (second.number, second.taken) == (2, 1)


def test_approval(shows: Harness, two_seconds: Path, draft: Path) -> None:
    """A draft waits, is approved by an edit, and is rendered in full quality."""
    owner, user = shows.user()
    show = register_show(shows, owner, approval="Required")
    episode = started(shows, user, show)
    discover(shows, episode.id, clips(1))
    episode = user.shows.episode(episode.id)
    compilation_id = str(episode.compilation_id)
    (submission,) = shows.operator.submissions()
    assert submission.spec.quality is Quality.DRAFT
    rendered(shows, episode, two_seconds, draft)
    shows.operator.shows.tick(0)
    assert user.shows.episode(episode.id).state == EpisodeState.AWAITING_APPROVAL
    view = user.shows.approve(compilation_id)
    assert view.generation == 2
    assert user.shows.approve(compilation_id).generation == 2
    assert user.shows.episode(episode.id).state == EpisodeState.CREATED
    rendered(shows, episode, two_seconds)
    shows.operator.shows.tick(0)
    assert user.shows.episode(episode.id).state == EpisodeState.SUCCEEDED


def test_a_draft_expires(shows: Harness, two_seconds: Path, draft: Path) -> None:
    """After seven days it is skipped, its resource is deleted, and its clips are free."""
    owner, user = shows.user()
    show = register_show(shows, owner, approval="Required", schedule="0 0 1 1 *")
    episode = user.shows.run(show.id)
    discover(shows, episode.id, clips(1))
    episode = user.shows.episode(episode.id)
    rendered(shows, episode, two_seconds, draft)
    shows.operator.shows.tick(0)
    shows.clock.advance(7 * 86_400 - 100)
    shows.operator.shows.tick(0)
    assert user.shows.episode(episode.id).state == EpisodeState.AWAITING_APPROVAL
    shows.clock.advance(200)
    shows.operator.shows.tick(0)
    episode = user.shows.episode(episode.id)
    assert (episode.state, episode.reason) == (EpisodeState.SKIPPED, "NotApproved")
    (submission,) = shows.operator.submissions()
    assert submission.action is SubmissionAction.DELETE
    assert shows.rows("SELECT * FROM used_clips") == []
    assert code_of(lambda: user.shows.approve(str(episode.compilation_id))) == "Ended"


def test_history(shows: Harness, two_seconds: Path) -> None:
    """Ended episodes beyond the history go, their compilations are deleted, their clips stay."""
    owner, user = shows.user()
    show = register_show(shows, owner, history={"successful": 2, "failed": 1})
    for _ in range(4):
        episode = started(shows, user, show)
        discover(shows, episode.id, clips(1))
        rendered(shows, user.shows.episode(episode.id), two_seconds)
    shows.operator.shows.tick(0)
    states = [e.state for e in user.shows.episodes(show.id)]
    assert states == [EpisodeState.SUCCEEDED] * 2
    actions = [s.action for s in shows.operator.submissions()]
    assert actions.count(SubmissionAction.DELETE) == 2
    assert len(shows.rows("SELECT * FROM used_clips")) == 4
    reports = shows.rows("SELECT episode_id FROM episode_reports")
    assert len(reports) == 2


@pytest.mark.parametrize(
    ("policy", "states"),
    [
        ("Allow", [("Discovering", ""), ("Discovering", "")]),
        ("Forbid", [("Skipped", "StillRunning"), ("Discovering", "")]),
        ("Replace", [("Discovering", ""), ("Skipped", "Replaced")]),
    ],
)
def test_concurrency(shows: Harness, policy: str, states: list[tuple[str, str]]) -> None:
    """What happens at a scheduled time while the episode before it has not ended."""
    owner, user = shows.user()
    show = register_show(shows, owner, concurrency_policy=policy)
    started(shows, user, show)
    started(shows, user, show)
    assert [(e.state.value, e.reason) for e in user.shows.episodes(show.id)] == states


def test_replacing_cancels_the_compilation(shows: Harness) -> None:
    """The earlier episode's resource is deleted too."""
    owner, user = shows.user()
    show = register_show(shows, owner, concurrency_policy="Replace")
    first = started(shows, user, show)
    discover(shows, first.id, clips(1))
    compilation_id = str(user.shows.episode(first.id).compilation_id)
    started(shows, user, show)
    assert user.compilation(compilation_id).state is CompilationState.CANCELLED
    (submission,) = shows.operator.submissions()
    assert submission.action is SubmissionAction.DELETE


def test_an_awaited_draft_does_not_hold_up_the_next(
    shows: Harness, two_seconds: Path, draft: Path
) -> None:
    """An episode that waits for approval counts as ended."""
    owner, user = shows.user()
    show = register_show(shows, owner, approval="Required")
    first = started(shows, user, show)
    discover(shows, first.id, clips(1))
    rendered(shows, user.shows.episode(first.id), two_seconds, draft)
    second = started(shows, user, show)
    assert second.state == EpisodeState.DISCOVERING


def test_the_lease_fences_out_earlier_pods(shows: Harness) -> None:
    """A later claim raises the epoch; the earlier pod's calls are refused."""
    owner, user = shows.user()
    episode = started(shows, user, register_show(shows, owner))
    key = shows.operator.shows.create_key(episode.id)
    first, second = shows.client(key), shows.client(key)
    assert first.discovery.claim("a").epoch == 1
    assert first.discovery.claim("a").epoch == 1
    assert code_of(lambda: second.discovery.claim("b")) == "Leased"
    reply = first.discovery.heartbeat(Heartbeat(index=0, epoch=1, percent=1))
    assert reply.directive is Directive.CONTINUE
    shows.clock.advance(2 * MINUTE_S)
    assert second.discovery.claim("b").epoch == 2
    heartbeat = Heartbeat(index=0, epoch=1, percent=1)
    assert code_of(lambda: first.discovery.heartbeat(heartbeat)) == "LeaseLost"
    assert code_of(lambda: first.discovery.result(DiscoverResult(epoch=1))) == "LeaseLost"
    assert user.shows.episode(episode.id).state == EpisodeState.DISCOVERING
    result = DiscoverResult(epoch=2, candidates=clips(1))
    second.discovery.result(result)
    second.discovery.result(result)
    assert len(shows.operator.submissions()) == 1
    assert code_of(lambda: shows.operator.shows.create_key(episode.id)) == "Ended"


def test_a_failed_discovery(shows: Harness) -> None:
    """A failure that may pass frees the lease; a final one, or the operator's, ends the episode."""
    owner, user = shows.user()
    show = register_show(shows, owner, history={"failed": 5})
    episode = started(shows, user, show)
    pod = discover_pod(shows, episode.id)
    epoch = pod.discovery.claim("a").epoch
    passing = TaskFailure(code="RateLimited", message="later", permanent=False)
    pod.discovery.result(DiscoverResult(epoch=epoch, failure=passing))
    other = discover_pod(shows, episode.id)
    assert other.discovery.claim("b").epoch == 2
    final = TaskFailure(code="TooLarge", message="a feed of 100 MB", permanent=True)
    other.discovery.result(DiscoverResult(epoch=2, failure=final))
    episode = user.shows.episode(episode.id)
    assert (episode.state, episode.reason) == (EpisodeState.FAILED, "TooLarge")
    second = started(shows, user, show)
    failure = FailedDiscovery(reason="", message="the pod died")
    shows.operator.shows.report_failed(second.id, failure)
    shows.operator.shows.report_failed(second.id, failure)
    second = user.shows.episode(second.id)
    assert (second.state, second.reason) == (EpisodeState.FAILED, "DiscoveryFailed")


def test_a_source_that_fails(shows: Harness) -> None:
    """Its reason is the show's, until a later episode hears otherwise; other sources count."""
    owner, user = shows.user()
    show = register_show(shows, owner, history={"failed": 5})
    report = SourceReport(source=0, reason="Unreachable", message="no answer within 30 s")
    first = started(shows, user, show)
    discover(shows, first.id, [], [report])
    view = user.shows.get(show.id)
    assert (view.ready, view.reason) == (False, "Unreachable")
    assert view.last_episode is not None
    assert (view.last_episode.state, view.last_episode.reason) == ("Failed", "Unreachable")
    second = started(shows, user, show)
    discover(shows, second.id, clips(1), [report])
    assert user.shows.episode(second.id).state == EpisodeState.CREATED
    user.cancel(str(user.shows.episode(second.id).compilation_id))
    third = started(shows, user, show)
    discover(shows, third.id, clips(1))
    assert user.shows.get(show.id).ready


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"owner": "someone"}, "OwnerConflict", "spec.owner"),
        (
            {"sources": [{"feed": {"url": "http://10.0.0.1/feed"}}]},
            "ForbiddenURL",
            "spec.sources[0].feed.url",
        ),
        ({"notify": ["nobody"]}, "UnknownWebhook", "spec.notify"),
        (
            {"template": {"delivery": {"credential": "nowhere"}}},
            "UnknownCredential",
            "spec.template.delivery.credential",
        ),
        (
            {"sources": [LIBRARY, {"discord": {"channel": "12345678", "credentials": "my-bot"}}]},
            "UnknownCredential",
            "spec.sources[1].discord.credentials",
        ),
    ],
)
def test_bad_input(shows: Harness, fields: dict[str, object], reason: str, field: str) -> None:
    """A resource is not ready, with a sentence that names the field; the API refuses its own."""
    owner, user = shows.user()
    view = register_show(shows, owner, **fields)
    assert (view.ready, view.reason, view.next_at) == (False, reason, None)
    assert view.message.startswith(field)
    shows.clock.advance(10 * MINUTE_S)
    shows.operator.shows.tick(0)
    assert user.shows.episodes(view.id) == []
    with pytest.raises(PermanentError) as refused:
        user.shows.create("own", show_spec(**fields))
    assert (refused.value.code, refused.value.facts["reason"]) == ("InvalidShow", reason)


DISCORD = {"discord": {"channel": "12345678", "credentials": "my-bot"}}
TWITCH = TwitchApplication(
    kind=CredentialKind.TWITCH, client_id="abc", client_secret=SecretStr("canary-1")
)
BOT = DiscordBot(kind=CredentialKind.DISCORD, bot_token=SecretStr("canary-2"))


def test_credentials_of_a_source(shows: Harness) -> None:
    """A show is ready once they exist in the right kind; the claim hands them out."""
    owner, user = shows.user()
    user.credentials.put("my-bot", TWITCH)
    show = register_show(shows, owner, sources=[DISCORD])
    assert (show.ready, show.reason) == (False, "WrongCredentialKind")
    user.credentials.put("my-bot", BOT)
    shows.clock.advance(2 * MINUTE_S)
    shows.operator.shows.tick(0)
    show = user.shows.get(show.id)
    assert (show.ready, show.reason) == (True, "")
    (episode,) = user.shows.episodes(show.id)
    assert user.credentials.list()[0].last_used_at is None
    (query,) = discover_pod(shows, episode.id).discovery.claim("a").queries
    assert query.discord is not None
    assert (query.discord.bot_token, query.twitch) == ("canary-2", None)
    assert user.credentials.list()[0].last_used_at is not None
    assert "canary" not in show.model_dump_json()


def test_credentials_that_were_deleted(shows: Harness) -> None:
    """Their source is left out of the claim, and the episode says why; the others count."""
    owner, user = shows.user()
    user.credentials.put("my-bot", BOT)
    show = register_show(shows, owner, sources=[DISCORD, FEED])
    episode = started(shows, user, show)
    user.credentials.delete("my-bot")
    discover(shows, episode.id, clips(1))
    report = user.shows.episode(episode.id)
    assert (report.state, report.taken) == (EpisodeState.CREATED, 1)
    assert [(s.source, s.reason) for s in report.sources] == [(1, ""), (0, "UnknownCredential")]
    assert user.shows.get(show.id).reason == "UnknownCredential"


def test_a_template_that_is_refused(shows: Harness) -> None:
    """An intro that does not exist fails the episode with the refusal, and nothing else is left."""
    owner, user = shows.user()
    show = register_show(shows, owner, template={"intro": {"mediaId": "m-00000000"}})
    episode = started(shows, user, show)
    discover(shows, episode.id, clips(1))
    episode = user.shows.episode(episode.id)
    assert (episode.state, episode.reason) == (EpisodeState.FAILED, "UnknownMedia")
    assert user.shows.get(show.id).reason == "UnknownMedia"
    assert user.compilations().items == []


def test_registering_again_changes_nothing(shows: Harness) -> None:
    """The same generation is the same show; an older one and another spec are refused."""
    owner, _ = shows.user()
    uid = uuid.uuid4().hex
    view = register_show(shows, owner, uid=uid, generation=2)
    assert register_show(shows, owner, uid=uid, generation=2) == view
    assert code_of(lambda: register_show(shows, owner, uid=uid)) == "StaleGeneration"
    other = {"select": {"most": 3}, "uid": uid}
    assert code_of(lambda: register_show(shows, owner, generation=2, **other)) == (
        "GenerationConflict"
    )
    edited = register_show(shows, owner, generation=3, **other)
    assert (edited.id, edited.generation, edited.spec.select.most) == (view.id, 3, 3)
    stranger, _ = shows.user()
    assert code_of(lambda: register_show(shows, stranger, generation=4, **other)) == (
        "OwnerConflict"
    )
    assert code_of(lambda: register_show(shows, "nobody")) == "UnknownOwner"


def test_a_resource_that_is_created_again(shows: Harness) -> None:
    """The show of the uid before it is deleted, since its deletion may never be reported."""
    owner, user = shows.user()
    first = register_show(shows, owner)
    second = register_show(shows, owner)
    assert [show.id for show in user.shows.all()] == [second.id] != [first.id]


def test_a_suspended_show(shows: Harness) -> None:
    """Nothing starts; once it is resumed, the newest time of the pause starts."""
    owner, user = shows.user()
    uid = uuid.uuid4().hex
    show = register_show(shows, owner, uid=uid, suspend=True)
    assert (show.ready, show.next_at) == (True, None)
    shows.clock.advance(10 * MINUTE_S)
    shows.operator.shows.tick(0)
    assert user.shows.episodes(show.id) == []
    register_show(shows, owner, uid=uid, generation=2)
    assert len(user.shows.episodes(show.id)) == 1


def test_another_schedule_misses_nothing(shows: Harness) -> None:
    """Times of the new schedule before the edit are not made up for."""
    owner, user = shows.user()
    uid = uuid.uuid4().hex
    show = register_show(shows, owner, uid=uid, schedule="0 0 1 1 *")
    shows.clock.advance(10 * MINUTE_S)
    register_show(shows, owner, uid=uid, generation=2)
    assert user.shows.episodes(show.id) == []
    assert started(shows, user, show).state == EpisodeState.DISCOVERING


def test_missed_times(shows: Harness) -> None:
    """Of five minutes without a tick the newest starts; the others are reported."""
    owner, user = shows.user()
    show = register_show(shows, owner, history={"failed": 10})
    shows.clock.advance(5 * MINUTE_S)
    shows.operator.shows.tick(0)
    episodes = user.shows.episodes(show.id)
    assert [(e.state.value, e.reason) for e in episodes] == [
        ("Discovering", ""),
        *[("Skipped", "DeadlineMissed")] * 4,
    ]


def test_shows_of_the_api(shows: Harness) -> None:
    """Created once by the same request, edited, listed, deleted; strangers see nothing."""
    _, user = shows.user()
    show = user.shows.create("own", show_spec())
    assert show.uid is None
    assert user.shows.create("own", show_spec()) == show
    assert code_of(lambda: user.shows.create("own", show_spec(suspend=True))) == "ShowExists"
    edited = user.shows.edit(show.id, show_spec(suspend=True))
    assert (edited.generation, edited.next_at) == (2, None)
    assert user.shows.edit(show.id, show_spec(suspend=True)).generation == 2
    episode = user.shows.run(show.id)
    assert user.shows.run(show.id).id == episode.id
    discover(shows, episode.id, clips(1))
    _, stranger = shows.user()
    for call in (stranger.shows.get, stranger.shows.run, stranger.shows.delete):
        assert code_of(lambda c=call: c(show.id)) == "NotFound"
    assert code_of(lambda: stranger.shows.episode(episode.id)) == "NotFound"
    assert stranger.shows.all() == []
    compilation_id = str(user.shows.episode(episode.id).compilation_id)
    user.shows.delete(show.id)
    assert user.shows.all() == []
    assert user.compilation(compilation_id).state is CompilationState.CANCELLED
    assert shows.rows("SELECT * FROM episodes") == []


def test_resources_are_changed_by_kubectl(shows: Harness) -> None:
    """The API does not edit or delete the show of a resource."""
    owner, user = shows.user()
    show = register_show(shows, owner)
    assert code_of(lambda: user.shows.edit(show.id, show_spec(suspend=True))) == "Managed"
    assert code_of(lambda: user.shows.delete(show.id)) == "Managed"
    shows.operator.shows.delete(str(show.uid))
    shows.operator.shows.delete(str(show.uid))
    assert user.shows.all() == []


def test_a_key_of_a_discover_task_does_nothing_else(shows: Harness, two_seconds: Path) -> None:
    """It claims and reports its own episode; files, tasks and other episodes are out of reach."""
    owner, user = shows.user()
    media = library_clip(user, two_seconds)
    show = register_show(shows, owner, concurrency_policy="Allow")
    episode = started(shows, user, show)
    pod = discover_pod(shows, episode.id)
    assert code_of(lambda: pod.discovery.result(DiscoverResult(epoch=1))) == "NotClaimed"
    pod.discovery.claim("a")
    for call in (
        lambda: pod.media(media.id),
        lambda: pod.transfers.download(f"/api/media/{media.id}/content", two_seconds),
        lambda: pod.claim(0, "a"),
        pod.library,
        lambda: pod.operator.shows.tick(0),
    ):
        assert code_of(call) == "Forbidden"


def test_what_a_pod_claims_about_the_library(shows: Harness, two_seconds: Path) -> None:
    """Media and clip keys in a result are ignored: only the API says what the library holds."""
    owner, user = shows.user()
    media = library_clip(user, two_seconds)
    show = register_show(shows, owner)
    episode = started(shows, user, show)
    (candidate,) = clips(1)
    fake = candidate.model_copy(update={"clip_key": "x" * 30})
    by_media = candidate.model_copy(update={"url": None, "media_id": media.id})
    discover(shows, episode.id, [fake, by_media])
    (submission,) = shows.operator.submissions()
    assert [c.url for c in submission.spec.clips] == [candidate.url]
    assert shows.rows("SELECT clip_key FROM used_clips") != [{"clip_key": "x" * 30}]


def test_notifications(shows: Harness) -> None:
    """Webhooks that the show names hear of skipped episodes, and of each compilation."""
    owner, user = shows.user()
    for name in ("mine", "other"):
        user.webhooks.put(name, WebhookRequest.model_validate({"url": RECEIVER, "events": EVENTS}))
    options = {"notify": ["mine"], "history": {"failed": 5}}
    show = register_show(shows, owner, select={"minimum": 2}, **options)
    first = started(shows, user, show)
    discover(shows, first.id, clips(1))
    second = started(shows, user, show)
    discover(shows, second.id, clips(2))
    (submission,) = shows.operator.submissions()
    assert submission.spec.notify == ["mine"]
    rows = shows.rows("SELECT webhook, type FROM notifications ORDER BY created_at, type")
    assert [(row["webhook"], row["type"]) for row in rows] == [
        ("mine", "episode.skipped"),
        ("mine", "compilation.accepted"),
    ]


def test_deleting_a_user(shows: Harness) -> None:
    """Their shows, episodes and used clips go with them."""
    owner, user = shows.user()
    show = register_show(shows, owner)
    episode = started(shows, user, show)
    discover(shows, episode.id, clips(1))
    user.cancel(str(user.shows.episode(episode.id).compilation_id))
    shows.admin.delete_user(owner)
    for table in ("shows", "episodes", "episode_reports", "used_clips"):
        assert shows.rows(f"SELECT * FROM {table}") == []


def test_retryable_errors_are_named(shows: Harness) -> None:
    """A claim of a leased task is worth repeating."""
    owner, user = shows.user()
    episode = started(shows, user, register_show(shows, owner))
    key = shows.operator.shows.create_key(episode.id)
    shows.client(key).discovery.claim("a")
    with pytest.raises(RetryableError):
        shows.client(key).discovery.claim("b")
