"""Webhooks over HTTP: signatures, the outbox, retries, faults and what no text shows."""

from __future__ import annotations

import itertools
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import clipmaker
from clipmill.protocol import FailedTasks, Stage
from clipmill.protocol.integrations.webhook_models import (
    EventType,
    NotificationState,
    WebhookRequest,
)
from clipmill_api.credentials.keyring import new_keyring_text
from clipmill_api.notifications import outbox, webhook_transport
from clipmill_client import Client, PermanentError
from commandline import clipmill
from examples import ROOT
from harness import Harness, library_clip, running
from pods import assemble
from served_api import Served
from webhook_receiver import Receiver, receiving, wait_until

ALL = [event for event in EventType if event is not EventType.TEST]
KEYS = new_keyring_text()
HOUR_S = 3600


@pytest.fixture(scope="module")
def ports() -> Iterator[list[Receiver]]:
    """Receivers whose addresses the API allows; each test takes the next one."""
    with ExitStack() as stack:
        yield [stack.enter_context(receiving()) for _ in range(60)]


@pytest.fixture(scope="module")
def own_api(
    own_database_url: str, ports: list[Receiver], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Harness]:
    """An API on each database."""
    private = tuple(receiver.address for receiver in ports)
    more: dict[str, Any] = {
        "credential_keys": KEYS,
        "allow_private_webhooks": private,
        "allow_any_host": True,
        "public_url": "https://clips.example.org/",
    }
    with running(tmp_path_factory.mktemp("state"), own_database_url, **more) as harness:
        yield harness


_taken = itertools.count()


@pytest.fixture
def receiver(ports: list[Receiver]) -> Receiver:
    """A receiver of this test alone."""
    return ports[next(_taken)]


def hook(user: Client, receiver: Receiver, name: str = "hook", events: Any = ALL) -> str:
    """Add a webhook and return its secret."""
    request = WebhookRequest.model_validate({"url": receiver.url, "events": events})
    secret = user.webhooks.put(name, request).secret
    return secret.get_secret_value() if secret else ""


def types_of(receiver: Receiver) -> list[str]:
    """Return the types of the events that arrived."""
    return [request.event["type"] for request in receiver.requests]


def state_of(user: Client, name: str = "hook") -> NotificationState:
    """Return the state of the newest notification."""
    return user.webhooks.deliveries(name)[0].state


# --- webhooks -------------------------------------------------------------------------------------


def test_a_test_event_arrives_signed(own_api: Harness, receiver: Receiver) -> None:
    """The library of Standard Webhooks accepts it; the log has status and time."""
    owner, user = own_api.user()
    secret = hook(user, receiver)
    sent = user.webhooks.test("hook")
    (request,) = receiver.wait_for(1)
    assert request.is_signed_by(secret)
    assert not request.is_signed_by("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert (request.id, request.event["data"]) == (sent.id, {"owner": owner, "name": "hook"})
    assert request.event["type"] == "webhook.test"
    wait_until(lambda: state_of(user) is NotificationState.DELIVERED)
    (attempt,) = user.webhooks.deliveries("hook")[0].attempts
    assert (attempt.status, attempt.error) == (204, None)
    assert user.webhooks.list()[0].last_delivered_at


def test_the_example_of_the_page_verifies_a_request(own_api: Harness, receiver: Receiver) -> None:
    """docs/notifications.md, as it stands; `webhook.test` is signed like every event."""
    _, user = own_api.user()
    secret = hook(user, receiver)
    user.webhooks.test("hook")
    (request,) = receiver.wait_for(1)
    page = (ROOT / "docs/notifications.md").read_text()
    code = page.split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {
        "SECRET": secret,
        "BODY": request.body,
        "HEADERS": request.headers,
    }
    exec(code, names)
    assert names["event"]["type"] == "webhook.test"
    table = set(re.findall(r"^\| `([a-z_0-9.]+)` \|", page, re.MULTILINE))
    assert table == {event.value for event in EventType}


def test_the_secret_is_shown_once(own_api: Harness, receiver: Receiver) -> None:
    """A change of the events keeps it; no view has URL or secret, nor has the database."""
    owner, user = own_api.user()
    secret = hook(user, receiver)
    assert secret.startswith("whsec_")
    assert hook(user, receiver, events=["compilation.failed"]) == ""
    user.webhooks.test("hook")
    assert receiver.wait_for(1)[0].is_signed_by(secret)
    (view,) = user.webhooks.list()
    assert (view.events, view.target) == ([EventType.FAILED], f"http://{receiver.address}")
    rows = own_api.rows("SELECT * FROM webhooks WHERE owner = :o", o=owner)
    assert secret not in f"{rows} {view!r}"
    assert "/hook" not in f"{rows} {view!r}"


def test_webhooks_of_others_do_not_exist(own_api: Harness, receiver: Receiver) -> None:
    """Neither lists nor calls by name reach them."""
    _, user = own_api.user()
    _, other = own_api.user()
    hook(user, receiver)
    assert other.webhooks.list() == []
    for call in (other.webhooks.test, other.webhooks.delete, other.webhooks.deliveries):
        with pytest.raises(PermanentError) as problem:
            call("hook")
        assert problem.value.status == 404


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:1/hook", "ForbiddenTarget"),
        ("https://10.0.0.1/canary-99", "ForbiddenTarget"),
        ("json://example.org/canary-99", "ForbiddenTarget"),
        ("https://user:canary-99@example.org", "ForbiddenTarget"),
        ("", "Invalid"),
    ],
)
def test_a_forbidden_target_is_refused(own_api: Harness, url: str, code: str) -> None:
    """With the rule, and without the URL."""
    _, user = own_api.user()
    request = WebhookRequest.model_construct(url=SecretStr(url), events=[EventType.FAILED])
    with pytest.raises(PermanentError) as problem:
        user.webhooks.put("hook", request)
    assert (problem.value.status, problem.value.code) == (422, code)
    assert "canary-99" not in str(problem.value)


def test_an_owner_has_twenty_at_most(own_api: Harness, receiver: Receiver) -> None:
    """A change is no further one."""
    _, user = own_api.user()
    for i in range(20):
        hook(user, receiver, f"hook-{i}")
    hook(user, receiver, "hook-3")
    with pytest.raises(PermanentError) as problem:
        hook(user, receiver, "one-more")
    assert problem.value.code == "WebhookLimit"


def test_without_a_key_the_setting_is_named(api: Harness) -> None:
    """As for credentials."""
    _, user = api.user()
    with pytest.raises(PermanentError) as problem:
        user.webhooks.list()
    assert problem.value.code == "CredentialsDisabled"


# --- events ---------------------------------------------------------------------------------------


def test_a_compilation_is_accepted_and_succeeds(
    own_api: Harness, receiver: Receiver, two_seconds: Path
) -> None:
    """The data has id, name, owner, state and links to the outputs."""
    owner, user = own_api.user()
    hook(user, receiver)
    media = library_clip(user, two_seconds)
    uid, plan = own_api.register(owner, {"clips": [{"mediaId": media.id}]})
    assemble(own_api.job(uid, Stage.ASSEMBLE), two_seconds)
    requests = receiver.wait_for(2)
    assert types_of(receiver) == ["compilation.accepted", "compilation.succeeded"]
    data = requests[1].event["data"]
    link = f"https://clips.example.org/api/compilations/{plan.compilation_id}"
    assert {name: data[name] for name in ("id", "name", "owner", "state", "url")} == {
        "id": plan.compilation_id,
        "name": "test",
        "owner": owner,
        "state": "Succeeded",
        "url": link,
    }
    (output,) = data["outputs"]
    assert output["url"] == f"{link}/outputs/main.mp4"


def test_a_failed_compilation_is_reported_with_its_reason(
    own_api: Harness, receiver: Receiver, two_seconds: Path
) -> None:
    """Once, although the operator reports the failure twice."""
    owner, user = own_api.user()
    hook(user, receiver)
    media = library_clip(user, two_seconds)
    uid, _ = own_api.register(owner, {"clips": [{"mediaId": media.id}]})
    failed = FailedTasks(
        generation=1, stage=Stage.ASSEMBLE, indexes=[0], reason="DeadlineExceeded", message="late"
    )
    for _ in range(2):
        own_api.operator.report_failed_tasks(uid, failed)
    receiver.wait_for(2)
    time.sleep(1.5)
    assert types_of(receiver) == ["compilation.accepted", "compilation.failed"]
    assert receiver.requests[1].event["data"]["reason"] == "DeadlineExceeded"


def test_a_draft_is_ready(
    own_api: Harness, receiver: Receiver, two_seconds: Path, tmp_path: Path
) -> None:
    """Instead of succeeded."""
    draft = clipmaker.clip(tmp_path / "draft.mp4", rate="15")
    owner, user = own_api.user()
    hook(user, receiver, events=["compilation.draft_ready", "compilation.succeeded"])
    media = library_clip(user, two_seconds)
    uid, _ = own_api.register(owner, {"clips": [{"mediaId": media.id}], "quality": "Draft"})
    assemble(own_api.job(uid, Stage.ASSEMBLE), draft)
    receiver.wait_for(1)
    assert types_of(receiver) == ["compilation.draft_ready"]


def test_a_refused_resource_is_reported_once(own_api: Harness, receiver: Receiver) -> None:
    """The operator registers it again and again; nothing else is notified."""
    owner, user = own_api.user()
    hook(user, receiver)
    for _ in range(3):
        with pytest.raises(PermanentError):
            own_api.register(owner, {"clips": [{"mediaId": "m-00000000"}]}, uid="same-uid" + owner)
    receiver.wait_for(1)
    time.sleep(1.5)
    assert types_of(receiver) == ["compilation.refused"]
    assert receiver.requests[0].event["data"]["reason"] == "UnknownMedia"


@pytest.mark.parametrize(("notify", "count"), [(None, 2), ([], 0), (["one"], 1)])
def test_a_spec_names_its_webhooks(
    notify: Any, count: int, own_api: Harness, receiver: Receiver, two_seconds: Path
) -> None:
    """All by default, none for an empty list, else those of the list."""
    owner, user = own_api.user()
    hook(user, receiver, "one")
    hook(user, receiver, "two")
    media = library_clip(user, two_seconds)
    spec = {"clips": [{"mediaId": media.id}]}
    own_api.register(owner, spec if notify is None else {**spec, "notify": notify})
    sql = "SELECT webhook FROM notifications WHERE owner = :o"
    assert len(own_api.rows(sql, o=owner)) == count


def test_an_unknown_webhook_is_refused(own_api: Harness, two_seconds: Path) -> None:
    """By field and name; of another owner it is unknown too."""
    owner, user = own_api.user()
    media = library_clip(user, two_seconds)
    with pytest.raises(PermanentError) as problem:
        own_api.register(owner, {"clips": [{"mediaId": media.id}], "notify": ["nobody"]})
    assert problem.value.code == "UnknownWebhook"
    assert "nobody" in str(problem.value)


def test_most_of_a_quota_is_reported_once_a_month(
    own_api: Harness, receiver: Receiver, two_seconds: Path
) -> None:
    """Render time, with what is used and the limit."""
    owner, user = own_api.user(render_limit_seconds=9)
    hook(user, receiver, events=["quota.at_80_percent"])
    media = library_clip(user, two_seconds)
    for _ in range(4):
        own_api.register(owner, {"clips": [{"mediaId": media.id}]})
    (request,) = receiver.wait_for(1)
    data = request.event["data"]
    assert (data["quota"], data["used"], data["limit"]) == ("renderSeconds", 8, 9)


def test_a_skipped_episode_is_reported_once(own_api: Harness, receiver: Receiver) -> None:
    """For each scheduled time, with the reason."""
    owner, user = own_api.user()
    hook(user, receiver)
    at = datetime(2026, 11, 27, 18, tzinfo=UTC)
    episode = outbox.SkippedEpisode("chess-weekly", at, "TooFewClips", "3 of 5 clips")
    for _ in range(2):
        own_api.ctx.db.write(lambda s: outbox.episode_skipped(s, own_api.ctx, owner, episode))
    (request,) = receiver.wait_for(1)
    assert request.event["data"] == {
        "owner": owner,
        "show": "chess-weekly",
        "scheduledAt": "2026-11-27T18:00:00.000000Z",
        "reason": "TooFewClips",
        "message": "3 of 5 clips",
    }
    sql = "SELECT id FROM notifications WHERE owner = :o"
    assert len(own_api.rows(sql, o=owner)) == 1


# --- deliveries -----------------------------------------------------------------------------------


def test_a_failed_delivery_is_repeated_with_the_same_id(
    own_api: Harness, receiver: Receiver
) -> None:
    """Until it succeeds; the log has every attempt."""
    _, user = own_api.user()
    receiver.statuses = [500, 429]
    hook(user, receiver)
    user.webhooks.test("hook")
    for count in (1, 2, 3):
        receiver.wait_for(count)
        wait_until(lambda n=count: len(user.webhooks.deliveries("hook")[0].attempts) == n)
        own_api.clock.advance(60)
    assert len({request.id for request in receiver.requests}) == 1
    assert len({request.body for request in receiver.requests}) == 1
    view = user.webhooks.deliveries("hook")[0]
    assert [attempt.status for attempt in view.attempts] == [500, 429, 204]
    assert view.state is NotificationState.DELIVERED
    assert user.webhooks.list()[0].failing_since is None


def test_a_delivery_is_given_up_after_a_day_and_replayed(
    own_api: Harness, receiver: Receiver
) -> None:
    """The replay has the same id and content."""
    _, user = own_api.user()
    receiver.statuses = [500] * 30
    hook(user, receiver)
    sent = user.webhooks.test("hook")
    receiver.wait_for(1)
    for _ in range(8):
        own_api.clock.advance(5 * HOUR_S)
        time.sleep(1.2)
        if state_of(user) is NotificationState.FAILED:
            break
    assert state_of(user) is NotificationState.FAILED
    receiver.statuses.clear()
    replayed = user.webhooks.replay("hook", sent.id)
    assert (replayed.id, replayed.state) == (sent.id, NotificationState.PENDING)
    wait_until(lambda: state_of(user) is NotificationState.DELIVERED)
    assert receiver.requests[-1].body == receiver.requests[0].body


def test_a_receiver_that_is_gone_is_disabled(own_api: Harness, receiver: Receiver) -> None:
    """After 410 three times in a row, with a reason; it can be enabled again."""
    _, user = own_api.user()
    receiver.statuses = [410, 410, 410]
    hook(user, receiver)
    user.webhooks.test("hook")
    for count in (1, 2, 3):
        receiver.wait_for(count)
        wait_until(lambda n=count: len(user.webhooks.deliveries("hook")[0].attempts) == n)
        own_api.clock.advance(600)
    (view,) = user.webhooks.list()
    assert view.disabled_at
    assert "410" in str(view.disabled_reason)
    assert state_of(user) is NotificationState.FAILED
    with pytest.raises(PermanentError) as problem:
        user.webhooks.test("hook")
    assert problem.value.code == "WebhookDisabled"
    assert user.webhooks.enable("hook").disabled_at is None
    user.webhooks.test("hook")
    receiver.wait_for(4)


def test_a_redirect_is_not_followed(own_api: Harness, receiver: Receiver) -> None:
    """Wherever it leads."""
    _, user = own_api.user()
    receiver.statuses = [302]
    hook(user, receiver)
    user.webhooks.test("hook")
    wait_until(lambda: user.webhooks.deliveries("hook")[0].attempts)
    (attempt,) = user.webhooks.deliveries("hook")[0].attempts
    assert (attempt.status, attempt.error) == (302, "redirects are not followed")
    assert {request.path for request in receiver.requests} == {"/hook"}


def test_a_slow_receiver_delays_nobody_else(
    own_api: Harness, ports: list[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given up after a time; an endless response counts by its status."""
    monkeypatch.setattr(webhook_transport, "TIMEOUT_S", 2.0)
    slow, endless, fast = (ports[next(_taken)] for _ in range(3))
    slow.delay_s, endless.endless = 60, True
    _, user = own_api.user()
    for name, target in (("slow", slow), ("endless", endless), ("fast", fast)):
        hook(user, target, name)
        user.webhooks.test(name)
    began = time.monotonic()
    fast.wait_for(1)
    assert time.monotonic() - began < 2
    wait_until(lambda: state_of(user, "endless") is NotificationState.DELIVERED)
    wait_until(lambda: user.webhooks.deliveries("slow")[0].attempts)
    (attempt,) = user.webhooks.deliveries("slow")[0].attempts
    assert (attempt.status, "no response" in str(attempt.error)) == (None, True)
    slow.ended.set()


def test_a_thousand_events_do_not_block_the_api(own_api: Harness, receiver: Receiver) -> None:
    """Requests are answered while a slow receiver takes them one after the other."""
    owner, user = own_api.user()
    receiver.delay_s = 0.02
    hook(user, receiver)

    def add(session: Any) -> None:
        for i in range(1000):
            event = outbox.OwnerEvent(EventType.ACCEPTED, {"number": i}, f"event {i}")
            outbox.notify(session, own_api.ctx, owner, event)

    own_api.ctx.db.write(add)
    receiver.wait_for(20)
    durations = []
    for _ in range(30):
        began = time.monotonic()
        user.account()
        durations.append(time.monotonic() - began)
    assert sorted(durations)[15] < 0.5, durations
    receiver.delay_s = 0
    before = len(receiver.requests)
    wait_until(lambda: len(receiver.requests) > before + 20)
    user.webhooks.delete("hook")


def test_a_deleted_webhook_leaves_no_row(own_api: Harness, receiver: Receiver) -> None:
    """Its notifications and their attempts go with it, and with its user."""
    owner, user = own_api.user()
    hook(user, receiver)
    user.webhooks.test("hook")
    wait_until(lambda: state_of(user) is NotificationState.DELIVERED)
    user.webhooks.delete("hook")
    for table in ("webhooks", "notifications", "deliveries"):
        assert own_api.rows(f"SELECT * FROM {table} WHERE owner = :o", o=owner) == []
    hook(user, receiver)
    user.webhooks.test("hook")
    own_api.admin.delete_user(owner)
    for table in ("webhooks", "notifications"):
        assert own_api.rows(f"SELECT * FROM {table} WHERE owner = :o", o=owner) == []


# --- faults ---------------------------------------------------------------------------------------


def test_two_replicas_deliver_each_event_once(fresh_postgres: str, tmp_path: Path) -> None:
    """Both send; no notification is sent by both while they run."""
    with receiving() as receiver:
        more: dict[str, Any] = {
            "credential_keys": KEYS,
            "allow_private_webhooks": (receiver.address,),
        }
        state = tmp_path / "state"
        with (
            running(state, fresh_postgres, **more) as first,
            running(state, fresh_postgres, **more),
        ):
            owner, user = first.user()
            for i in range(4):
                hook(user, receiver, f"hook-{i}")

            def add(session: Any) -> None:
                for i in range(15):
                    event = outbox.OwnerEvent(EventType.ACCEPTED, {}, f"event {i}")
                    outbox.notify(session, first.ctx, owner, event)

            first.ctx.db.write(add)
            ids = [request.id for request in receiver.wait_for(60, 60)]
            wait_until(
                lambda: all(
                    view.state is NotificationState.DELIVERED
                    for i in range(4)
                    for view in user.webhooks.deliveries(f"hook-{i}")
                )
            )
            assert len(receiver.requests) == len(set(ids)) == 60


def test_what_was_sent_but_not_stored_is_sent_again(tmp_path: Path) -> None:
    """A server killed between the two; the next one sends the same id after the lease."""
    with receiving() as receiver:
        served = Served.new(tmp_path)
        env = {"CLIPMILL_ALLOW_PRIVATE_WEBHOOKS": receiver.address}
        with served.running("api.notification.sent:kill", **env) as (process, user):
            secret = hook(user, receiver)
            user.webhooks.test("hook")
            process.wait(30)
        assert len(receiver.requests) == 1
        with closing(sqlite3.connect(served.state / "clipmill.db")) as database, database:
            leased = "next_attempt_at > strftime('%Y-%m-%d %H:%M:%f', 'now', '30 seconds')"
            ended = f"UPDATE notifications SET next_attempt_at = created_at WHERE {leased}"
            assert database.execute(ended).rowcount == 1
        with served.running(**env) as (_, user):
            requests = receiver.wait_for(2)
            wait_until(lambda: state_of(user) is NotificationState.DELIVERED)
        assert requests[0].id == requests[1].id
        assert all(request.is_signed_by(secret) for request in requests)


def test_events_wait_for_a_restart(tmp_path: Path) -> None:
    """What is pending when the API ends is delivered by the next one."""
    with receiving() as receiver:
        more: dict[str, Any] = {
            "credential_keys": KEYS,
            "allow_private_webhooks": (receiver.address,),
        }
        receiver.statuses = [503]
        with running(tmp_path / "state", **more) as api:
            owner, user = api.user()
            hook(user, receiver)
            user.webhooks.test("hook")
            wait_until(lambda: user.webhooks.deliveries("hook")[0].attempts)
        with running(tmp_path / "state", **more) as api:
            api.clock.advance(60)
            receiver.wait_for(2)
            user = api.client(api.admin.create_key(owner))
            wait_until(lambda: state_of(user) is NotificationState.DELIVERED)
        assert receiver.requests[0].id == receiver.requests[1].id


# --- mail -----------------------------------------------------------------------------------------


def serve_mail(server: socket.socket, mails: list[str]) -> None:
    """Accept one mail by SMTP."""
    connection, _ = server.accept()
    with connection, connection.makefile("rwb") as stream:

        def reply(text: str) -> None:
            stream.write(f"{text}\r\n".encode())
            stream.flush()

        reply("220 test")
        for line in stream:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"EHLO":
                reply("250-test\r\n250 AUTH PLAIN LOGIN")
            elif word == b"AUTH":
                reply("235 ok")
            elif word == b"DATA":
                reply("354 go on")
                content = []
                while (text := stream.readline()) != b".\r\n":
                    content.append(text.decode())
                mails.append("".join(content))
                reply("250 ok")
            elif word == b"QUIT":
                reply("221 bye")
                return
            else:
                reply("250 ok")


def test_mail_is_sent_by_an_apprise_address(tmp_path: Path) -> None:
    """Its text has the event; the view shows the scheme alone."""
    mails: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        threading.Thread(target=serve_mail, args=(server, mails), daemon=True).start()
        more: dict[str, Any] = {"credential_keys": KEYS, "allow_private_webhooks": (address,)}
        with running(tmp_path / "state", **more) as api:
            _, user = api.user()
            url = f"mailto://user:canary-mail@{address}?to=a@example.org&from=b@example.org"
            request = WebhookRequest.model_validate(
                {"url": f"{url}&mode=insecure", "events": ["compilation.failed"]}
            )
            stored = user.webhooks.put("mail", request)
            assert (stored.target, stored.secret) == ("mailto://", None)
            user.webhooks.test("mail")
            wait_until(lambda: state_of(user, "mail") is NotificationState.DELIVERED, 60)
            assert "webhook.test" in mails[0]
            rows = [api.rows(f"SELECT * FROM {table}") for table in TABLES]
            assert "canary-mail" not in str(rows)


TABLES = ("webhooks", "notifications", "deliveries")


# --- the command line -----------------------------------------------------------------------------


def test_the_commands(own_api: Harness, receiver: Receiver) -> None:
    """Add, list, test, deliveries, replay, enable, delete."""
    owner, _ = own_api.user()
    env = {"CLIPMILL_API_URL": own_api.url, "CLIPMILL_API_KEY": own_api.admin.create_key(owner)}
    added = clipmill("webhooks", "add", receiver.url, "--name", "mine", env=env)
    assert (added.code, "whsec_" in added.out) == (0, True), added
    assert clipmill("webhooks", "test", "mine", env=env).code == 0
    (request,) = receiver.wait_for(1)
    listed = clipmill("webhooks", "deliveries", "mine", env=env)
    assert request.id in listed.out
    user = own_api.client(env["CLIPMILL_API_KEY"])
    wait_until(lambda: state_of(user, "mine") is NotificationState.DELIVERED)
    assert clipmill("webhooks", "replay", "mine", request.id, env=env).code == 0
    receiver.wait_for(2)
    assert clipmill("webhooks", "enable", "mine", env=env).code == 0
    assert "mine" in clipmill("webhooks", "list", env=env).out
    assert clipmill("webhooks", "delete", "mine", env=env).code == 0


def test_a_secret_address_is_read_from_standard_input(own_api: Harness) -> None:
    """As an argument it is refused, and an unknown event with the list of events."""
    owner, _ = own_api.user()
    env = {"CLIPMILL_API_URL": own_api.url, "CLIPMILL_API_KEY": own_api.admin.create_key(owner)}
    url = "discord://123456789012345678/canary-token"
    refused = clipmill("webhooks", "add", url, env=env)
    assert (refused.code, "canary-token" in refused.err) == (2, False)
    added = clipmill("webhooks", "add", "-", env=env, given=f"{url}\n")
    assert (added.code, "canary-token" in added.out) == (0, False), added
    wrong = clipmill("webhooks", "add", "https://example.org", "--events", "some", env=env)
    assert (wrong.code, "compilation.failed" in wrong.err) == (2, True)


def test_keys_of_webhooks_are_exchanged_too(tmp_path: Path) -> None:
    """The same rotation as for credentials; signatures stay the same."""
    second = new_keyring_text().replace("k1:", "k2:")
    with receiving() as receiver:
        more: dict[str, Any] = {"allow_private_webhooks": (receiver.address,)}
        with running(tmp_path / "state", credential_keys=KEYS, **more) as api:
            owner, user = api.user()
            secret = hook(user, receiver)
        with running(tmp_path / "state", credential_keys=f"{second},{KEYS}", **more) as api:
            assert api.admin.rotate_credentials().rotated == 1
        with running(tmp_path / "state", credential_keys=second, **more) as api:
            api.client(api.admin.create_key(owner)).webhooks.test("hook")
            assert receiver.wait_for(1)[0].is_signed_by(secret)
