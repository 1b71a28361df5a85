"""Who may ask what: every route the app serves, with every kind of key; and how keys are kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from clipmill.protocol import Heartbeat, Stage, State
from clipmill_api.http.app import create_app
from clipmill_api.http.authentication import new_key
from clipmill_api.settings import Settings, UnsafeSettings
from clipmill_client.errors import PermanentError
from harness import Harness
from pods import fetch, url

USER, JOB, OPERATOR, ADMIN = {"user"}, {"job"}, {"operator"}, {"admin"}
PUBLIC = {"nobody", "user", "job", "operator", "admin"}
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
    ("PUT", "/api/compilations/{compilation_id}/spec"): USER,
    ("DELETE", "/api/compilations/{compilation_id}"): USER,
    ("GET", "/api/compilations/{compilation_id}/events"): USER,
    ("GET", "/api/compilations/{compilation_id}/outputs/{file}"): USER,
    ("HEAD", "/api/compilations/{compilation_id}/outputs/{file}"): USER,
    ("GET", "/api/compilations/{compilation_id}/timeline.otio"): USER,
    ("GET", "/api/media"): USER,
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
    ("POST", "/api/uploads/{upload_id}/complete"): USER | JOB,
    ("GET", "/api/quota"): USER,
    ("GET", "/api/usage"): USER,
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
    ("GET", "/api/operator/compilations/{uid}"): OPERATOR,
    ("GET", "/api/operator/compilations/{uid}/status"): OPERATOR,
    ("DELETE", "/api/operator/compilations/{uid}"): OPERATOR,
    ("POST", "/api/operator/compilations/{uid}/keys"): OPERATOR,
    ("POST", "/api/operator/compilations/{uid}/failed"): OPERATOR,
    ("GET", "/api/operator/active"): OPERATOR,
    ("GET", "/api/operator/submissions"): OPERATOR,
    ("POST", "/api/operator/submissions/{compilation_id}/refused"): OPERATOR,
    ("GET", "/api/admin/users"): ADMIN,
    ("PUT", "/api/admin/users/{name}"): ADMIN,
    ("POST", "/api/admin/users/{name}/keys"): ADMIN,
    ("GET", "/api/admin/tiers"): ADMIN,
    ("PUT", "/api/admin/tiers/{name}"): ADMIN,
}
FOLDERS = {"/assets", "/assets/swagger"}


def settings(state: Path, **more: str) -> Settings:
    """Settings that start."""
    keys = {"admin_key": new_key("admin"), "operator_key": new_key("operator")}
    return Settings(state=state, **{**keys, **more})


def served(state: Path) -> Iterator[tuple[str, str]]:
    """Every (method, path) that the app routes."""
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
    """A new route without a word on who may ask it fails here."""
    found = set(served(tmp_path))
    folders = {("*", path) for path in FOLDERS}
    assert found - set(ALLOWED) - folders == set()
    assert set(ALLOWED) - found == set()


@pytest.fixture(scope="module")
def keys(api: Harness) -> dict[str, str]:
    """One key of each role, by role."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    return {
        "nobody": "",
        "user": api.admin.mint(owner),
        "job": api.operator.mint(uid, Stage.FETCH, 1),
        "operator": api.settings.operator_key,
        "admin": api.settings.admin_key,
    }


@pytest.fixture(scope="module")
def http(api: Harness) -> Iterator[httpx.Client]:
    """Raw requests."""
    with httpx.Client(base_url=api.url, verify=False) as client:
        yield client


@pytest.mark.parametrize(("method", "path"), ALLOWED)
def test_role(http: httpx.Client, keys: dict[str, str], method: str, path: str) -> None:
    """Without a key 401, with one of another role 403, with the right one an answer."""
    allowed = ALLOWED[method, path]
    where = path.replace("{", "").replace("}", "")
    for role, key in keys.items():
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        reply = http.request(method, where, headers=headers)
        if role in allowed:
            assert reply.status_code not in (401, 403, 500), (role, reply.text)
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
    """Whatever stands in the header: 401 without a hint."""
    reply = http.get("/api/quota", headers={"Authorization": header.encode("latin-1")})
    assert (reply.status_code, reply.json()["code"]) == (401, "Unauthorized")
    assert header.rsplit(maxsplit=1)[-1][:20] not in reply.text


def test_a_new_key_ends_the_one_before(api: Harness) -> None:
    """Only the newest key of a stage opens; that of another stage lives on."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    first, other = api.job(uid, Stage.FETCH), api.job(uid, Stage.RENDER)
    second = api.job(uid, Stage.FETCH)
    with pytest.raises(PermanentError) as dead:
        first.order(0, "pod")
    assert dead.value.status == 401
    assert second.order(0, "pod").epoch == 1
    assert other.guide.get_user_quota(owner).used_bytes == 0


def test_keys_die_with_their_generation(api: Harness, two_seconds: Path) -> None:
    """After the end a job key reads nothing, sends nothing, and is told to stop."""
    owner, user = api.user()
    uid, plan = api.register(owner, {"clips": [{"url": url()}]})
    job = api.job(uid, Stage.FETCH)
    epoch = job.order(0, "pod-0").epoch
    fetch(job, 0, two_seconds)
    media_id = str(api.operator.view(uid).clips[0].media_id)
    assert job.wire.once("HEAD", f"/api/media/{media_id}/content").status_code == 200
    user.cancel(str(plan.compilation_id))
    for method, path in (
        ("GET", f"/api/media/{media_id}/content"),
        ("GET", f"/api/segments/{'0' * 64}/content"),
        ("GET", f"/api/worker/clips/{plan.clips[0].id}"),
        ("GET", "/api/uploads/u-0000"),
    ):
        with pytest.raises(PermanentError) as dead:
            job.wire.once(method, path)
        assert (dead.value.status, dead.value.code) == (409, "Ended")
    assert job.heartbeat(Heartbeat(index=0, epoch=epoch, percent=1)).directive == "Stop"
    with pytest.raises(PermanentError) as ended:
        api.operator.mint(uid, Stage.FETCH, 1)
    assert ended.value.code == "Ended"
    assert api.operator.view(uid).state is State.CANCELLED


def test_only_a_hash_is_kept(api: Harness) -> None:
    """The table of keys holds no key."""
    owner, _ = api.user()
    secret = api.admin.mint(owner)
    rows = api.rows("SELECT * FROM keys WHERE owner = :o AND role = 'user'", o=owner)
    assert rows
    assert secret not in str(rows)
    assert all(len(row["secret_sha256"]) == 64 for row in rows)


def test_no_secret_in_the_log(
    api: Harness, two_seconds: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A run logged at DEBUG, refusals and all, holds none of its keys."""
    with caplog.at_level(logging.DEBUG):
        owner, _ = api.user()
        user_key = api.admin.mint(owner)
        uid, _ = api.register(owner, {"clips": [{"url": url()}]})
        job_key = api.operator.mint(uid, Stage.FETCH, 1)
        fetch(api.client(job_key), 0, two_seconds)
        user = api.client(user_key)
        for call in (lambda: user.media("m-00000000"), lambda: user.order(0, "x")):
            with pytest.raises(PermanentError):
                call()
    assert len(caplog.records) > 5
    said = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    for key in (user_key, job_key, api.settings.admin_key, api.settings.operator_key):
        assert key not in said
        assert key[5:20] not in said


WEAK = [
    "",
    "secret",
    "changeme-changeme-changeme-changeme-changeme",
    "cm_a_short",
    "cm_a_" + "a" * 43,
    "cm_a_" + "abcdefghijk" * 4,
    "cm_o_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0fG",
    "cm_a_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0fG\n",
    "cm_a_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC 0fG",
]


@pytest.mark.parametrize("key", WEAK)
def test_weak_keys_are_refused(tmp_path: Path, key: str) -> None:
    """The start refuses a key that could be guessed, and does not print it."""
    with pytest.raises(UnsafeSettings) as refusal:
        settings(tmp_path, admin_key=key)
    assert "CLIPMILL_ADMIN_KEY" in str(refusal.value)
    assert not key or key not in str(refusal.value)


def test_one_key_for_both_is_refused(tmp_path: Path) -> None:
    """Administrator and operator never share a key."""
    key = new_key("admin")
    with pytest.raises(UnsafeSettings):
        settings(tmp_path, admin_key=key, operator_key=key)
