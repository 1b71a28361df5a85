"""Authentication: which roles may use each route, and how keys are stored."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from clipmill.environment import InvalidSettings
from clipmill.protocol import CompilationState, Heartbeat, Stage
from clipmill_api.http.app import create_app
from clipmill_api.http.authentication import new_key
from clipmill_api.settings import Settings
from clipmill_client import PermanentError
from harness import Harness
from pods import fetch, url
from show_pods import show_spec

USER, JOB, OPERATOR, ADMIN = {"user"}, {"job"}, {"operator"}, {"admin"}
DISCOVER = {"discover"}
PUBLIC = {"nobody", "user", "job", "discover", "sign-in", "operator", "admin"}
ALLOWED: dict[tuple[str, str], set[str]] = {
    ("GET", "/"): PUBLIC,
    ("GET", "/docs"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/metrics"): PUBLIC,
    ("POST", "/api/compilations"): USER,
    ("GET", "/api/compilations"): USER,
    ("POST", "/api/plan"): USER,
    ("GET", "/api/compilations/{compilation_id}"): USER,
    ("GET", "/api/compilations/{compilation_id}/plan"): USER,
    ("POST", "/api/compilations/{compilation_id}/preview"): USER,
    ("GET", "/api/compilations/{compilation_id}/spec"): USER,
    ("PUT", "/api/compilations/{compilation_id}/spec"): USER,
    ("DELETE", "/api/compilations/{compilation_id}"): USER,
    ("GET", "/api/compilations/{compilation_id}/events"): USER,
    ("GET", "/api/compilations/{compilation_id}/outputs/{file}"): USER,
    ("HEAD", "/api/compilations/{compilation_id}/outputs/{file}"): USER,
    ("DELETE", "/api/compilations/{compilation_id}/outputs/{name}"): USER,
    ("GET", "/api/compilations/{compilation_id}/timeline.otio"): USER,
    ("POST", "/api/compilations/{compilation_id}/approve"): USER,
    ("POST", "/api/shows"): USER,
    ("GET", "/api/shows"): USER,
    ("GET", "/api/shows/{show_id}"): USER,
    ("PUT", "/api/shows/{show_id}/spec"): USER,
    ("DELETE", "/api/shows/{show_id}"): USER,
    ("POST", "/api/shows/{show_id}/run"): USER,
    ("POST", "/api/shows/{show_id}/preview"): USER,
    ("GET", "/api/shows/{show_id}/episodes"): USER,
    ("GET", "/api/episodes/{episode_id}"): USER,
    ("POST", "/api/jobs/discovery/claim"): DISCOVER,
    ("POST", "/api/jobs/discovery/heartbeat"): DISCOVER,
    ("PUT", "/api/jobs/discovery/result"): DISCOVER,
    ("GET", "/api/media"): USER,
    ("POST", "/api/compilations/{compilation_id}/outputs/{file}/share"): USER,
    ("GET", "/api/compilations/{compilation_id}/links"): USER,
    ("DELETE", "/api/compilations/{compilation_id}/links/{link_id}"): USER,
    ("GET", "/api/shared/{link_id}/{name}"): PUBLIC,
    ("HEAD", "/api/shared/{link_id}/{name}"): PUBLIC,
    ("GET", "/api/events"): USER,
    ("POST", "/api/media"): USER,
    ("GET", "/api/media/{media_id}"): USER,
    ("GET", "/api/media/{media_id}/used-in"): USER,
    ("DELETE", "/api/media/{media_id}"): USER,
    ("POST", "/api/media/{media_id}/validate"): USER,
    ("GET", "/api/media/{media_id}/content"): USER | JOB,
    ("HEAD", "/api/media/{media_id}/content"): USER | JOB,
    ("GET", "/api/segments/{key}/content"): JOB,
    ("HEAD", "/api/segments/{key}/content"): JOB,
    ("POST", "/api/uploads"): USER | JOB,
    ("PUT", "/api/uploads"): USER | JOB,
    ("GET", "/api/uploads/{upload_id}"): USER | JOB,
    ("PATCH", "/api/uploads/{upload_id}"): USER | JOB,
    ("DELETE", "/api/uploads/{upload_id}"): USER,
    ("POST", "/api/uploads/{upload_id}/complete"): USER | JOB,
    ("POST", "/api/worker/spans"): JOB,
    ("GET", "/api/quota"): USER,
    ("POST", "/api/sign-in-links"): USER,
    ("GET", "/api/webhooks"): USER,
    ("PUT", "/api/webhooks/{name}"): USER,
    ("DELETE", "/api/webhooks/{name}"): USER,
    ("POST", "/api/webhooks/{name}/enable"): USER,
    ("POST", "/api/webhooks/{name}/test"): USER,
    ("GET", "/api/webhooks/{name}/deliveries"): USER,
    ("POST", "/api/webhooks/{name}/deliveries/{notification_id}/replay"): USER,
    ("GET", "/api/credentials"): USER,
    ("GET", "/api/credentials/{name}"): USER,
    ("PUT", "/api/credentials/{name}"): USER,
    ("DELETE", "/api/credentials/{name}"): USER,
    ("POST", "/api/admin/credentials/rotate"): ADMIN,
    ("GET", "/api/usage"): USER,
    ("PUT", "/api/retention"): USER,
    ("GET", "/api/worker/watermark/{sha256}"): JOB,
    ("POST", "/api/worker/claim"): JOB,
    ("POST", "/api/worker/heartbeat"): JOB,
    ("POST", "/api/worker/result"): JOB,
    ("GET", "/api/worker/clips/{clip_id}"): JOB,
    ("POST", "/api/worker/clips/{clip_id}/status"): JOB,
    ("GET", "/api/worker/media/{media_id}"): JOB,
    ("POST", "/api/worker/media"): JOB,
    ("POST", "/api/worker/jobs"): JOB,
    ("GET", "/api/worker/jobs/{job_id}"): JOB,
    ("PUT", "/api/worker/jobs/{job_id}"): JOB,
    ("GET", "/api/worker/projects/{project_id}"): JOB,
    ("PUT", "/api/worker/projects/{project_id}/status"): JOB,
    ("GET", "/api/worker/users/{user_id}/quota"): JOB,
    ("GET", "/api/worker/users/{user_id}/tier-limits"): JOB,
    ("POST", "/api/worker/users/{user_id}/record-render"): JOB,
    ("POST", "/api/worker/media/find-reusable"): JOB,
    ("GET", "/api/worker/projects/{project_id}/compilation-context"): JOB,
    ("POST", "/api/worker/media/batch"): JOB,
    ("PUT", "/api/operator/compilations/{uid}"): OPERATOR,
    ("POST", "/api/operator/registrations"): OPERATOR,
    ("GET", "/api/operator/compilations/{uid}"): OPERATOR,
    ("GET", "/api/operator/compilations/{uid}/status"): OPERATOR,
    ("DELETE", "/api/operator/compilations/{uid}"): OPERATOR,
    ("POST", "/api/operator/compilations/{uid}/keys"): OPERATOR,
    ("POST", "/api/operator/compilations/{uid}/failed"): OPERATOR,
    ("POST", "/api/operator/shows/tick"): OPERATOR,
    ("PUT", "/api/operator/shows/{uid}"): OPERATOR,
    ("DELETE", "/api/operator/shows/{uid}"): OPERATOR,
    ("POST", "/api/operator/episodes/{episode_id}/key"): OPERATOR,
    ("POST", "/api/operator/episodes/{episode_id}/failed"): OPERATOR,
    ("GET", "/api/operator/active"): OPERATOR,
    ("GET", "/api/operator/submissions"): OPERATOR,
    ("GET", "/api/operator/usage"): OPERATOR,
    ("POST", "/api/operator/submissions/{compilation_id}/refused"): OPERATOR,
    ("GET", "/api/admin/users"): ADMIN,
    ("PUT", "/api/admin/users/{name}"): ADMIN,
    ("DELETE", "/api/admin/users/{name}"): ADMIN,
    ("GET", "/api/admin/users/{name}/keys"): ADMIN,
    ("POST", "/api/admin/users/{name}/keys"): ADMIN,
    ("DELETE", "/api/admin/users/{name}/keys/{key_id}"): ADMIN,
    ("GET", "/api/admin/users/{name}/media"): ADMIN,
    ("POST", "/api/admin/users/{name}/usage"): ADMIN,
    ("GET", "/api/admin/store"): ADMIN,
    ("GET", "/api/admin/store/verification"): ADMIN,
    ("POST", "/api/admin/store/removal"): ADMIN,
    ("GET", "/api/admin/tiers"): ADMIN,
    ("PUT", "/api/admin/tiers/{name}"): ADMIN,
    # Last: it uses up the code, as which a sign-in is known to the others.
    ("POST", "/api/session"): {"sign-in"},
}
FOLDERS = {"/assets", "/assets/swagger"}


def settings(state: Path, **variables: str) -> Settings:
    """Return valid settings, except for these variables."""
    environ = {
        "CLIPMILL_STATE": str(state),
        "CLIPMILL_ADMIN_KEY": new_key("admin"),
        "CLIPMILL_OPERATOR_KEY": new_key("operator"),
    }
    return Settings.from_environ(environ | variables)


def routes(state: Path) -> Iterator[tuple[str, str]]:
    """Yield method and path of every route of the app."""
    app = create_app(settings(state))
    for outer in app.routes:
        inner = getattr(outer, "original_router", None)
        for route in inner.routes if inner else [outer]:
            path = getattr(route, "path", "?")
            implied = (
                {"HEAD"} if "GET" in (methods := set(getattr(route, "methods", ["*"]))) else {}
            )
            yield from ((method, path) for method in methods if method not in implied)
    app.state.context.db.close()


def test_every_route_is_in_the_table(tmp_path: Path) -> None:
    """A new route must name the roles that may use it."""
    served = set(routes(tmp_path))
    folders = {("*", path) for path in FOLDERS}
    assert served - set(ALLOWED) - folders == set()
    assert set(ALLOWED) - served == set()


@pytest.fixture(scope="module")
def keys(api: Harness) -> dict[str, str]:
    """A key of each role."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    user_key = api.admin.create_key(owner)
    shows = api.client(user_key).shows
    episode = shows.run(shows.create("weekly", show_spec(suspend=True)).id)
    return {
        "nobody": "",
        "user": user_key,
        "discover": api.operator.shows.create_key(episode.id),
        "sign-in": api.client(user_key).sign_in.link().code,
        "job": api.operator.create_key(uid, Stage.FETCH, 1),
        "operator": api.settings.operator_key,
        "admin": api.settings.admin_key,
    }


@pytest.fixture(scope="module")
def http(api: Harness) -> Iterator[httpx.Client]:
    """A client without a key."""
    with httpx.Client(base_url=api.url, verify=False, timeout=30) as client:
        yield client


@pytest.mark.parametrize(("method", "path"), ALLOWED)
def test_role(http: httpx.Client, keys: dict[str, str], method: str, path: str) -> None:
    """401 without a key, 403 with a key of another role."""
    allowed = ALLOWED[method, path]
    where = path.replace("{", "").replace("}", "")
    for role, key in keys.items():
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with http.stream(method, where, headers=headers) as reply:
            # The stream of events of all compilations would last an hour.
            if not reply.headers.get("content-type", "").startswith("text/event-stream"):
                reply.read()
        if role in allowed:
            assert reply.status_code not in (401, 403, 500), role
        else:
            assert reply.status_code == (403 if key else 401), (role, reply.text)
            assert reply.headers["content-type"] == "application/problem+json"
            assert (reply.headers.get("www-authenticate") == "Bearer") is not bool(key)


BAD_KEYS = [
    "Bearer",
    "Bearer cm_u_",
    "Bearer cm_a_" + "x" * 43,
    "Bearer \xff\xfe",
    "Bearer " + "a" * 8000,
    "Basic dXNlcjpwdw==",
    "cm_a_naked",
]


@pytest.mark.parametrize("header", BAD_KEYS)
def test_strange_headers_are_401(http: httpx.Client, header: str) -> None:
    """A malformed header is 401, and the response does not repeat it."""
    reply = http.get("/api/quota", headers={"Authorization": header.encode("latin-1")})
    assert (reply.status_code, reply.json()["code"]) == (401, "Unauthorized")
    assert header.rsplit(maxsplit=1)[-1][:20] not in reply.text


def test_a_new_key_revokes_the_earlier_one(api: Harness) -> None:
    """Only the newest key of a stage is valid; keys of other stages are not affected."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    first, other = api.job(uid, Stage.FETCH), api.job(uid, Stage.RENDER)
    second = api.job(uid, Stage.FETCH)
    with pytest.raises(PermanentError) as refused:
        first.claim(0, "pod")
    assert refused.value.status == 401
    assert second.claim(0, "pod").epoch == 1
    assert other.legacy.get_user_quota(owner)["used_bytes"] == 0


def test_keys_end_with_their_generation(api: Harness, two_seconds: Path) -> None:
    """After the end a job key reads and writes nothing, and its heartbeat says stop."""
    owner, user = api.user()
    uid, plan = api.register(owner, {"clips": [{"url": url()}]})
    fetch(api.job(uid, Stage.FETCH), 0, two_seconds)
    media_id = str(api.operator.view(uid).clips[0].media_id)
    job = api.job(uid, Stage.ASSEMBLE)
    epoch = job.claim(0, "pod-0").epoch
    assert job.connection.request_once("HEAD", f"/api/media/{media_id}/content").status_code == 200
    user.cancel(str(plan.compilation_id))
    for method, path in (
        ("GET", f"/api/media/{media_id}/content"),
        ("GET", f"/api/segments/{'0' * 64}/content"),
        ("GET", f"/api/worker/clips/{plan.clips[0].id}"),
        ("GET", "/api/uploads/u-0000"),
    ):
        with pytest.raises(PermanentError) as refused:
            job.connection.request_once(method, path)
        assert (refused.value.status, refused.value.code) == (409, "Ended")
    assert job.heartbeat(Heartbeat(index=0, epoch=epoch, percent=1)).directive == "Stop"
    with pytest.raises(PermanentError) as ended:
        api.operator.create_key(uid, Stage.FETCH, 1)
    assert ended.value.code == "Ended"
    assert api.operator.view(uid).state is CompilationState.CANCELLED


def test_only_a_hash_is_kept(api: Harness) -> None:
    """The database does not contain the key."""
    owner, _ = api.user()
    secret = api.admin.create_key(owner)
    rows = api.rows("SELECT * FROM keys WHERE owner = :o AND role = 'user'", o=owner)
    assert rows
    assert secret not in str(rows)
    assert all(len(row["secret_sha256"]) == 64 for row in rows)


def test_no_secret_in_the_log(
    api: Harness, two_seconds: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither requests nor refusals log a key, at level DEBUG."""
    with caplog.at_level(logging.DEBUG):
        owner, _ = api.user()
        user_key = api.admin.create_key(owner)
        uid, _ = api.register(owner, {"clips": [{"url": url()}]})
        job_key = api.operator.create_key(uid, Stage.FETCH, 1)
        fetch(api.client(job_key), 0, two_seconds)
        user = api.client(user_key)
        for call in (lambda: user.media("m-00000000"), lambda: user.claim(0, "x")):
            with pytest.raises(PermanentError):
                call()
    assert len(caplog.records) > 5
    text = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    for key in (user_key, job_key, api.settings.admin_key, api.settings.operator_key):
        assert key not in text
        assert key[5:20] not in text


WEAK = [
    "",
    "secret",
    "changeme-changeme-changeme-changeme-changeme",
    "cm_a_short",
    "cm_a_" + "a" * 43,
    "cm_a_" + "abcdefghijk" * 4,
    "cm_o_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0fG",
    "cm_a_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC 0fG",
]


@pytest.mark.parametrize("key", WEAK)
def test_weak_keys_are_refused(tmp_path: Path, key: str) -> None:
    """A key that could be guessed is refused and not shown."""
    with pytest.raises(InvalidSettings) as refusal:
        settings(tmp_path, CLIPMILL_ADMIN_KEY=key)
    assert "CLIPMILL_ADMIN_KEY" in str(refusal.value)
    assert not key or key not in str(refusal.value)


def test_one_key_for_both_is_refused(tmp_path: Path) -> None:
    """Administrator and operator must not share a key."""
    key = new_key("admin")
    with pytest.raises(InvalidSettings):
        settings(tmp_path, CLIPMILL_ADMIN_KEY=key, CLIPMILL_OPERATOR_KEY=key)


FALSE_AND_TRUE = [
    ("no", False),
    ("0", False),
    ("", False),
    ("yes", True),
    ("On", True),
    ("1", True),
]


@pytest.mark.parametrize(("text", "value"), FALSE_AND_TRUE)
def test_booleans_are_read_as_everywhere(tmp_path: Path, text: str, value: bool) -> None:
    """`yes` used to mean false in the API."""
    assert settings(tmp_path, CLIPMILL_ALLOW_ANY_HOST=text).allow_any_host is value


INVALID = [
    ("CLIPMILL_ALLOW_ANY_HOST", "maybe"),
    ("CLIPMILL_LEASE_SECONDS", "0"),
    ("CLIPMILL_ENCODER", "gpu"),
    ("CLIPMILL_CANARIES", "host-without-port"),
    ("CLIPMILL_WATERMARK_OPACITY", "101"),
    ("CLIPMILL_WATERMARK_POSITION", "Middle"),
    ("CLIPMILL_PORT", "70000"),
    ("CLIPMILL_DEFAULT_OWNER", "Upper"),
]


@pytest.mark.parametrize(("variable", "text"), INVALID)
def test_invalid_settings_name_variable_and_value(tmp_path: Path, variable: str, text: str) -> None:
    """A value that is not understood stops the start."""
    with pytest.raises(InvalidSettings) as refusal:
        settings(tmp_path, **{variable: text})
    assert str(refusal.value).startswith(variable)
    assert text in str(refusal.value)
