"""Conventions of HTTP: versioned paths, HEAD, YAML, CORS, RateLimit, names of downloads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from clipmill.environment import InvalidSettings
from clipmill.protocol import Stage
from clipmill_api.http.authentication import new_key
from clipmill_api.http.cross_origin import REQUEST_HEADERS
from clipmill_api.settings import Settings
from harness import Harness, library_clip, new_manifest, running
from pods import assemble

ORIGIN = "https://studio.example.org"


@pytest.fixture
def http(api: Harness) -> Iterator[httpx.Client]:
    """A client with the key of a new user."""
    owner, _ = api.user()
    headers = {"Authorization": f"Bearer {api.admin.create_key(owner)}"}
    with httpx.Client(base_url=api.url, headers=headers, verify=False, timeout=60) as client:
        yield client


def test_paths_with_and_without_version(http: httpx.Client) -> None:
    """Both are one route, with the same limits and errors."""
    plain, versioned = http.get("/api/quota"), http.get("/api/v1/quota")
    assert (versioned.status_code, versioned.json()) == (200, plain.json())
    assert http.get("/api/v1/nothing").status_code == 404
    assert http.get("/api/v2/quota").status_code == 404
    assert http.get("/api/v1/api/v1/quota").status_code == 404
    assert http.get("/api/v1/quota", headers={"Authorization": ""}).status_code == 401


GETS = ("/", "/docs", "/openapi.json", "/healthz", "/metrics", "/api/quota", "/api/compilations")


@pytest.mark.parametrize("path", GETS)
def test_head(http: httpx.Client, path: str) -> None:
    """The head of a GET, with its length and without its body."""
    head, get = http.head(path), http.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert int(head.headers["content-length"]) > 0


def test_head_of_errors(http: httpx.Client) -> None:
    """They have the status of the GET."""
    assert http.head("/api/compilations/c-0123456789abcdef").status_code == 404
    assert http.head("/api/quota?typo=1").status_code == 422
    assert http.head("/api/plan").status_code == 405


def test_head_of_an_event_stream(api: Harness, two_seconds: Path) -> None:
    """It is answered at once, though the stream would last until the compilation has ended."""
    owner, user = api.user()
    view = user.create(new_manifest(library_clip(user, two_seconds).id))
    headers = {"Authorization": f"Bearer {api.admin.create_key(owner)}"}
    with httpx.Client(base_url=api.url, headers=headers, verify=False, timeout=20) as client:
        head = client.head(f"/api/compilations/{view.id}/events")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/event-stream")


def test_a_download_is_named_by_its_compilation(api: Harness, two_seconds: Path) -> None:
    """A folder of downloads tells the videos apart."""
    _, user = api.user()
    view = user.create(new_manifest(library_clip(user, two_seconds).id, "friday"))
    assemble(api.job(api.uid_of(view.id), Stage.ASSEMBLE), two_seconds)
    path = f"/api/v1/compilations/{view.id}/outputs/main"
    reply = user.connection.request_once("GET", path)
    filename = user.media(user.compilation(view.id).outputs[0].media_id).filename
    disposition = f"attachment; filename*=UTF-8''friday-{filename}"
    assert reply.headers["content-disposition"] == disposition
    assert reply.content == two_seconds.read_bytes()


@pytest.mark.parametrize("kind", ["application/yaml", "text/yaml; charset=utf-8"])
def test_a_manifest_in_yaml(api: Harness, http: httpx.Client, kind: str) -> None:
    """It plans and submits as the same manifest in JSON does."""
    manifest = new_manifest("m-0123456789abcdef").model_dump(
        mode="json", by_alias=True, exclude_none=True
    )
    manifest["spec"]["clips"] = [{"url": "https://clips.twitch.tv/Opener", "end": "4s"}]
    headers = {"Content-Type": kind}
    planned = http.post("/api/plan", content=yaml.safe_dump(manifest), headers=headers)
    expected = http.post("/api/plan", json=manifest).json()
    assert planned.json()["outputs"] == expected["outputs"]
    assert planned.json()["quota"] == expected["quota"]
    created = http.post("/api/compilations", content=yaml.safe_dump(manifest), headers=headers)
    assert (created.status_code, created.json()["name"]) == (201, "test")
    assert http.get(created.headers["location"]).json()["id"] == created.json()["id"]


BAD_YAML = {
    b"a: [": (422, "not valid YAML"),
    b"a: &x [1]\nb: [*x, *x]": (422, "aliases"),
    # The parser in C crashed the process at these depths.
    b"[" * 100_000 + b"]" * 100_000: (422, "nested deeper than 100 levels"),
    b"{a: " * 50_000: (422, "nested deeper than 100 levels"),
    b"a: .inf": (422, "not valid YAML"),
    b"? [1]\n: 2": (422, "not valid YAML"),
    b"[" * 10_000: (422, ""),
    b"\xff\xfe\x00": (422, "not valid YAML"),
    b"a: !!python/object/apply:os.system [id]": (422, "not valid YAML"),
    b"a: " + b"x" * (1024 * 1024): (413, "1048576 bytes of YAML"),
    b"kind: Compilation": (422, "apiVersion"),
}


@pytest.mark.parametrize("body", BAD_YAML, ids=[str(n) for n in range(len(BAD_YAML))])
def test_bad_yaml(http: httpx.Client, body: bytes) -> None:
    """It is refused by its place and rule, and executes nothing."""
    status, said = BAD_YAML[body]
    reply = http.post("/api/plan", content=body, headers={"Content-Type": "application/yaml"})
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert said in reply.json()["detail"]


@pytest.mark.parametrize("level", ["[", '{"a":'])
def test_deep_json(http: httpx.Client, level: str) -> None:
    """It is refused, too."""
    headers = {"Content-Type": "application/json"}
    reply = http.post("/api/plan", content=level * 20_000, headers=headers)
    assert reply.status_code == 400, reply.text
    assert reply.headers["content-type"] == "application/problem+json"


def test_yaml_without_a_key(api: Harness) -> None:
    """Nobody's YAML is parsed."""
    headers = {"Content-Type": "application/yaml"}
    reply = httpx.post(f"{api.url}/api/plan", content=b"a: [", headers=headers)
    assert reply.status_code == 401


def test_rate_limit_headers(tmp_path: Path) -> None:
    """Every response to a key says what is left of its limit."""
    with running(tmp_path, requests_per_second=5) as api:
        owner, _ = api.user()
        headers = {"Authorization": f"Bearer {api.admin.create_key(owner)}"}
        with httpx.Client(base_url=api.url, headers=headers, verify=False, timeout=60) as client:
            replies = [client.get("/api/quota") for _ in range(2)]
            missing = client.get("/api/media/m-0123456789abcdef")
        assert "ratelimit" not in httpx.get(f"{api.url}/healthz").headers
    assert replies[0].headers["ratelimit-policy"] == '"requests";q=20;w=4'
    assert replies[0].headers["ratelimit"] == '"requests";r=19;t=1'
    assert missing.headers["ratelimit"].startswith('"requests";r=1')


def preflight(url: str, origin: str) -> httpx.Response:
    """Ask as a browser does before a request of a page of this origin."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": ",".join(REQUEST_HEADERS),
    }
    return httpx.options(f"{url}/api/v1/quota", headers=headers, timeout=60)


def test_other_origins(api: Harness, tmp_path: Path) -> None:
    """Pages of other origins read nothing, unless the setting names their origin."""
    assert "access-control-allow-origin" not in preflight(api.url, ORIGIN).headers
    with running(tmp_path, cors_origins=(ORIGIN,)) as open_api:
        allowed = preflight(open_api.url, ORIGIN)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-credentials" not in allowed.headers
        assert preflight(open_api.url, "https://evil.example").status_code == 400
        refused = httpx.get(f"{open_api.url}/api/v1/quota", headers={"Origin": ORIGIN}, timeout=60)
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == ORIGIN
        assert "Retry-After" in refused.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origins", ["studio.example.org", "https://a.example/path", "https://u@b"])
def test_origins_are_checked(tmp_path: Path, origins: str) -> None:
    """An origin has a scheme and a host, and nothing else."""
    environ = {
        "CLIPMILL_STATE": str(tmp_path),
        "CLIPMILL_ADMIN_KEY": new_key("admin"),
        "CLIPMILL_OPERATOR_KEY": new_key("operator"),
        "CLIPMILL_CORS_ORIGINS": origins,
    }
    with pytest.raises(InvalidSettings, match="CORS_ORIGINS"):
        Settings.from_environ(environ)
