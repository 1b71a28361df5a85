"""Links that need no key: what they read, until when, and that none can be changed."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from clipmill.protocol import CompilationView, Stage
from clipmill_api.http import share_links
from clipmill_api.http.share_links import HideSignatures
from clipmill_api.queries.expiry import delete_share_links
from clipmill_client import PermanentError
from clipmill_client.client import Client
from commandline import clipmill
from harness import Harness, library_clip, new_manifest
from pods import assemble


@pytest.fixture
def user(api: Harness) -> Client:
    """A new user."""
    return api.user()[1]


@pytest.fixture
def view(api: Harness, user: Client, two_seconds: Path) -> CompilationView:
    """A compilation that has succeeded."""
    view = user.create(new_manifest(library_clip(user, two_seconds).id, "friday"))
    assemble(api.job(api.uid_of(view.id), Stage.ASSEMBLE), two_seconds)
    return user.compilation(view.id)


def get(api: Harness, url: str, **headers: str) -> httpx.Response:
    """Send a request without a key."""
    return httpx.get(f"{api.url}{url}", headers=headers, timeout=60)


def test_a_link_plays(api: Harness, user: Client, view: CompilationView, two_seconds: Path) -> None:
    """Without a key, whole and by ranges as a video element asks, by the compilation's name."""
    link = user.results.share(view.id, "main", seconds=600)
    content = two_seconds.read_bytes()
    whole = get(api, link.url)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["content-disposition"].startswith("inline; filename*=UTF-8''friday-")
    assert whole.headers["cache-control"] == "private, no-cache"
    part = get(api, link.url, Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(content)}"
    assert httpx.head(f"{api.url}{link.url}", timeout=60).headers["content-length"] == str(
        len(content)
    )
    assert "cm_u_" not in link.url


def test_a_link_ends(api: Harness, user: Client, view: CompilationView) -> None:
    """With its time, and with its video."""
    short = user.results.share(view.id, "main", seconds=60)
    long = user.results.share(view.id, "main", seconds=3600)
    api.clock.advance(120)
    assert get(api, short.url).status_code == 404
    assert get(api, long.url).status_code == 200
    user.results.delete_output(view.id, "main")
    assert get(api, long.url).status_code == 404


def test_a_link_is_not_changed(api: Harness, user: Client, view: CompilationView) -> None:
    """Another link, name or time has another signature."""
    link, other = (user.results.share(view.id, "main", seconds=60) for _ in range(2))
    url = link.url
    expires = url.partition("expires=")[2].partition("&")[0]
    changes = {link.id: other.id, "friday": "x.html", expires: f"{int(expires) + 1}"}
    for old, new in changes.items():
        assert get(api, url.replace(old, new, 1)).status_code == 404
    for query in ("", f"?expires={expires}", f"?expires={expires}&signature="):
        assert get(api, url.partition("?")[0] + query).status_code in (404, 422)
    assert get(api, url[:-1] + ("A" if url[-1] != "A" else "B")).status_code in (200, 404)
    assert get(api, url + "ü").status_code in (404, 422)


def test_a_link_is_revoked(
    api: Harness, user: Client, view: CompilationView, two_seconds: Path
) -> None:
    """At once and alone; links that do not work any more are not listed."""
    kept, revoked = (user.results.share(view.id, file) for file in ("main", "main.mp4"))
    user.results.share(view.id, "main", seconds=1)
    api.clock.advance(2)
    assert user.results.links(view.id) == [kept, revoked]
    user.results.revoke_link(view.id, revoked.id)
    assert get(api, revoked.url).status_code == 404
    assert get(api, revoked.url, Range="bytes=10-19").status_code == 404
    assert get(api, kept.url).content == two_seconds.read_bytes()
    assert user.results.links(view.id) == [kept]
    with pytest.raises(PermanentError) as again:
        user.results.revoke_link(view.id, revoked.id)
    assert (again.value.status, again.value.code) == (404, "NotFound")


def test_only_the_owner_lists_and_revokes(
    api: Harness, user: Client, view: CompilationView
) -> None:
    """A link of another compilation, and one of somebody else, are not found."""
    link = user.results.share(view.id, "main")
    another = user.create(new_manifest(view.outputs[0].media_id, "saturday"))
    _, stranger = api.user()
    calls = [
        lambda: stranger.results.links(view.id),
        lambda: stranger.results.revoke_link(view.id, link.id),
        lambda: user.results.revoke_link(another.id, link.id),
    ]
    for call in calls:
        with pytest.raises(PermanentError) as refused:
            call()
        assert refused.value.code == "NotFound"
    assert get(api, link.url).status_code == 200
    user.cancel(another.id)


def test_links_of_a_compilation_are_limited(
    api: Harness, user: Client, view: CompilationView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revoked one makes room; the rows of expired ones are deleted a day later."""
    monkeypatch.setattr(share_links, "MAX_LINKS", 2)
    link, _ = (user.results.share(view.id, "main", seconds=60) for _ in range(2))
    with pytest.raises(PermanentError) as refused:
        user.results.share(view.id, "main")
    assert (refused.value.status, refused.value.code) == (403, "LinkLimit")
    user.results.revoke_link(view.id, link.id)
    user.results.share(view.id, "main", seconds=60)
    count = "SELECT id FROM share_links WHERE compilation_id = :c"
    assert len(api.rows(count, c=view.id)) == 2
    api.ctx.db.write(lambda s: delete_share_links(s, api.clock() + timedelta(seconds=61)))
    assert api.rows(count, c=view.id) == []


def test_links_of_the_command_line(
    api: Harness, user: Client, view: CompilationView, two_seconds: Path
) -> None:
    """Created with the API's address, listed without it, and revoked."""
    env: dict[str, str | None] = {
        "CLIPMILL_API_URL": api.url,
        "CLIPMILL_API_KEY": api.admin.create_key(view.owner),
    }
    created = clipmill("links", "create", "friday", "main", "--expires", "1d", env=env)
    url = created.out.strip()
    assert httpx.get(url, timeout=60).content == two_seconds.read_bytes()
    [link] = user.results.links(view.id)
    listed = clipmill("links", "list", "friday", env=env)
    assert link.id in listed.out
    assert "signature" not in listed.out
    assert (
        json.loads(clipmill("links", "list", "friday", "-o", "json", env=env).out)[0]["url"] == url
    )
    assert clipmill("links", "revoke", "friday", link.id, env=env).code == 0
    assert httpx.get(url, timeout=60).status_code == 404
    for words in (("create", "friday", "main", "--expires", "8d"), ("revoke", "friday", "x")):
        assert clipmill("links", *words, env=env).code == 2


def test_who_shares(api: Harness, view: CompilationView, user: Client) -> None:
    """The owner alone, for 7 days at most, and what is finished."""
    _, other = api.user()
    with pytest.raises(PermanentError) as refused:
        other.results.share(view.id, "main")
    assert refused.value.code == "NotFound"
    with pytest.raises(PermanentError) as refused:
        user.results.share(view.id, "nothing")
    assert refused.value.code == "NotFound"
    reply = httpx.post(
        f"{api.url}/api/compilations/{view.id}/outputs/main/share",
        json={"expiresInSeconds": 604_801},
        headers={"Authorization": f"Bearer {api.admin.create_key(view.owner)}"},
        timeout=60,
    )
    assert reply.status_code == 422


def test_signatures_are_not_logged() -> None:
    """uvicorn logs the path of a request with its query."""
    args = ("127.0.0.1:1", "GET", "/api/shared/m-1/a.mp4?expires=1&signature=secret", "1.1", 200)
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, "%s %s %s", args, None)
    assert HideSignatures().filter(record)
    assert record.args == (*args[:2], "/api/shared/m-1/a.mp4", *args[3:])
