"""`clipmill serve` as a process, and the commands that use its API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

import clipmaker
from commandline import Completed, clipmill, manifest_file, started

# Variables, the variable that the error names, and what else it names.
BAD_KEYS: dict[str, tuple[dict[str, str], str, str]] = {
    "malformed": ({"CLIPMILL_ADMIN_KEY": "secret"}, "CLIPMILL_ADMIN_KEY", "cm_a_"),
    "few characters": (
        {"CLIPMILL_OPERATOR_KEY": f"cm_o_{'ab' * 20}"},
        "CLIPMILL_OPERATOR_KEY",
        "clipmill keygen",
    ),
    "malformed user key": ({"CLIPMILL_API_KEY": "mine"}, "CLIPMILL_API_KEY", "cm_u_"),
}


def generate_keys() -> dict[str, str]:
    """Return the variables that `clipmill keygen` prints for a shell."""
    lines = clipmill("keygen").out.splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def test_generated_keys_are_random_and_of_three_roles() -> None:
    """They are printed for a shell and as JSON."""
    keys = generate_keys()
    assert list(keys) == ["CLIPMILL_ADMIN_KEY", "CLIPMILL_OPERATOR_KEY", "CLIPMILL_API_KEY"]
    assert [key[:5] for key in keys.values()] == ["cm_a_", "cm_o_", "cm_u_"]
    others = json.loads(clipmill("keygen", "-o", "json").out)
    assert not set(others.values()) & set(keys.values())


@pytest.mark.parametrize("case", BAD_KEYS)
def test_a_weak_key_is_refused(case: str, tmp_path: Path) -> None:
    """One line names the variable without its value; no server starts."""
    variables, name, fact = BAD_KEYS[case]
    done = clipmill("serve", "--state", tmp_path / "state", env={**generate_keys(), **variables})
    assert (done.code, len(done.lines), done.out) == (2, 1, ""), done
    assert done.lines[0].startswith(f"clipmill: {name}")
    assert fact in done.lines[0]
    assert not any(value and value in done.lines[0] for value in variables.values())
    assert not (tmp_path / "state").exists()


class Server(NamedTuple):
    """A running `clipmill serve`, and the first lines of its output."""

    url: str
    head: list[str]
    keys: dict[str, str]

    def __call__(self, *words: str | Path, **env: str) -> Completed:
        """Run a command with this API."""
        return clipmill(*words, env={**self.keys, "CLIPMILL_API_URL": self.url, **env})

    def json(self, *words: str | Path) -> Any:
        """Run a command with -o json and return its data."""
        done = self(*words, "-o", "json")
        assert done.code == 0, done
        return json.loads(done.out)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with its operator; SIGTERM ends it with exit code 0."""
    home, keys = tmp_path_factory.mktemp("home"), generate_keys()
    env = {"PATH": os.environ["PATH"], "HOME": str(home), **keys}
    words = ("serve", "--port", "0", "--state", home / "state")
    with started(*words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        head = [process.stdout.readline().rstrip() for _ in range(6)]
        yield Server(head[0].split()[-1], head, keys)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert not any(key in err for key in keys.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one clip."""
    path = tmp_path_factory.mktemp("work")
    clipmaker.clip(path / "a.mp4", seconds=1)
    return path


@pytest.fixture(scope="module")
def done(server: Server, folder: Path) -> dict[str, Any]:
    """A compilation that was submitted and has succeeded."""
    manifest = manifest_file(folder / "friday.yaml", [{"url": "a.mp4"}])
    submitted = server("submit", manifest, "--wait", "-o", "json")
    assert submitted.code == 0, submitted
    view: dict[str, Any] = json.loads(submitted.out)
    return view


def test_the_first_lines_name_the_urls(server: Server) -> None:
    """The first line ends with the API's URL; dashboard and reference need no key."""
    assert [line.split()[-1].split("#")[0] for line in server.head[:3]] == [
        server.url,
        f"{server.url}/",
        f"{server.url}/docs",
    ]
    for line in server.head[1:3]:
        page = httpx.get(line.split()[-1])
        assert (page.status_code, "Clipmill" in page.text) == (200, True)
    assert "SQLite" in server.head[3]
    assert server.head[5].split()[:3] == ["first", "user:", "local"]


def test_a_submission_is_rendered(server: Server, done: dict[str, Any]) -> None:
    """The video has 30 frames, and the usage contains its render time."""
    assert (done["state"], done["outputs"][0]["frames"]) == ("Succeeded", 30)
    usage = server.json("usage")
    assert [(u["compilationId"], u["seconds"]) for u in usage] == [(done["id"], 1)]
    assert server.json("quota")["renderUsedSeconds"] == 1


def test_a_compilation_can_be_listed_shown_watched_and_downloaded(
    server: Server, done: dict[str, Any], tmp_path: Path
) -> None:
    """As text and as JSON."""
    assert done["id"] in server("list").out
    assert done["id"] in [view["id"] for view in server.json("list", "--limit", "200")]
    assert "friday: Succeeded" in server("get", done["id"]).out
    assert server.json("get", done["id"])["state"] == "Succeeded"
    watched = server("watch", done["id"])
    assert (watched.code, "friday: Succeeded" in watched.out) == (0, True)
    assert server("download", done["id"], "-o", tmp_path).code == 0
    assert len(clipmaker.frame_times(tmp_path / "main.mp4")) == 30
    files = {"main.mp4", "main.jpg", "main-storyboard.png", "report.json"}
    assert files <= {path.name for path in tmp_path.iterdir()}
    assert server("cancel", done["id"]).code == 0
    assert server.json("get", done["id"])["state"] == "Succeeded"


def test_an_edit_is_a_new_generation_that_reuses_segments(server: Server, folder: Path) -> None:
    """An unchanged manifest has no effect; one more clip renders one segment."""
    clips = [{"url": "a.mp4"}]
    first = server.json("submit", manifest_file(folder / "edited.yaml", clips), "--wait")
    same = server.json("edit", first["id"], folder / "edited.yaml", "--wait")
    assert (same["id"], same["generation"]) == (first["id"], 1)
    more = [*clips, {"url": "a.mp4", "name": "again", "end": "500ms"}]
    new = server.json("edit", first["id"], manifest_file(folder / "edited.yaml", more), "--wait")
    assert (new["generation"], new["outputs"][0]["frames"]) == (2, 45)
    assert new["outputs"][0]["segments"] == {"total": 2, "reused": 1, "rendered": 1}


def test_media_can_be_uploaded_checked_and_deleted(server: Server, tmp_path: Path) -> None:
    """A second upload of the same file has the same id."""
    intro = clipmaker.clip(tmp_path / "intro.mp4", seconds=1, rate="24")
    media = server.json("media", "upload", intro, "--kind", "intro")[0]
    assert server.json("media", "upload", intro, "--kind", "intro")[0]["id"] == media["id"]
    assert media["id"] in server("media", "list").out
    intros = server.json("media", "list", "--kind", "intro")
    assert [(item["id"], item["kind"]) for item in intros] == [(media["id"], "intro")]
    assert server.json("media", "list", "--kind", "outro") == []
    checked = server.json("validate", media["id"])
    assert (checked["valid"], checked["frames"]) == (True, 24)
    assert server("media", "delete", media["id"]).out == f"deleted {media['id']}\n"
    second = server("media", "delete", media["id"])
    assert (second.code, len(second.lines)) == (1, 1)
    assert media["id"] in second.lines[0]
    assert second.lines[0].endswith("[NotFound]")


def test_a_user_gets_a_tier_and_a_key(server: Server) -> None:
    """A change of one limit keeps the others."""
    assert server("admin", "tier", "Team", "--render-limit", "2h", "--max-clips", "9").code == 0
    server("admin", "tier", "Team", "--storage-limit", "1GiB")
    team = next(tier for tier in server.json("admin", "tiers") if tier["name"] == "Team")
    assert (team["renderLimitSeconds"], team["maxClips"]) == (7200, 9)
    assert team["storageLimitBytes"] == 1024**3
    assert server("admin", "user", "ada", "--tier", "Team").code == 0
    assert {"name": "ada", "tier": "Team"} in server.json("admin", "users")
    assert server("admin", "user", "ada").code == 0
    assert {"name": "ada", "tier": "Team"} in server.json("admin", "users")
    assert server("admin", "user", "grace").code == 0
    assert {"name": "grace", "tier": "Free"} in server.json("admin", "users")
    key = server("admin", "key", "ada").out.strip()
    quota = json.loads(server("quota", "-o", "json", CLIPMILL_API_KEY=key).out)
    assert (quota["owner"], quota["tier"]) == ("ada", "Team")
    keys = server.json("admin", "keys", "ada")
    assert [bool(view.get("lastUsedAt")) for view in keys] == [True]
    assert keys[0]["id"] in server("admin", "keys", "ada").out
    assert server("admin", "key", "ada", "--expires", "30d").code == 0
    assert sum(bool(view.get("expiresAt")) for view in server.json("admin", "keys", "ada")) == 1
    assert server("admin", "revoke", "ada", keys[0]["id"]).code == 0
    assert server("quota", CLIPMILL_API_KEY=key).code == 1
    assert server("admin", "delete-user", "ada").out == "deleted ada\n"
    assert "ada" not in {view["name"] for view in server.json("admin", "users")}


@pytest.mark.parametrize(
    ("words", "env", "code", "facts"),
    [
        (["quota"], {"CLIPMILL_API_KEY": "cm_u_wrong"}, 1, ["CLIPMILL_API_KEY", "[Unauthorized]"]),
        (["admin", "users"], {"CLIPMILL_ADMIN_KEY": ""}, 2, ["CLIPMILL_ADMIN_KEY"]),
        (["admin", "user", "ada", "--tier", "Gold"], {}, 2, ["tier: ", "'Gold'", "Free"]),
        (["admin", "user", "Ada L"], {}, 2, ["name: "]),
        (["admin", "tier", "Pro", "--storage-limit", "9XB"], {}, 2, ["'9xb'", "gib"]),
        (["admin", "tier", "Pro", "--storage-limit", "9"], {}, 2, ["'9'", "gib"]),
        (["admin", "tier", "Pro", "--render-limit", "6"], {}, 2, ["'6'", "6h"]),
        (["get", "c-0123456789abcdef"], {}, 1, ["'c-0123456789abcdef'", "[NotFound]"]),
        (["watch", "c-0123456789abcdef"], {}, 1, ["'c-0123456789abcdef'", "[NotFound]"]),
        (["validate", "m-0123456789abcdef"], {}, 1, ["'m-0123456789abcdef'", "[NotFound]"]),
    ],
)
def test_a_refusal_is_one_line(
    server: Server, words: list[str], env: dict[str, str], code: int, facts: list[str]
) -> None:
    """It names variable, field or id, and the API's code."""
    done = server(*words, **env)
    assert (done.code, len(done.lines), done.out) == (code, 1, ""), done
    assert [fact for fact in facts if fact not in done.lines[0]] == [], done.lines


def test_an_unreachable_api_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names its URL, after a few retries."""
    monkeypatch.setattr("clipmill_client.api_connection.wait_random_exponential", lambda **_: 0)
    env = {"CLIPMILL_API_URL": "http://127.0.0.1:9", "CLIPMILL_API_KEY": "cm_u_x"}
    done = clipmill("list", env=env)
    assert (done.code, len(done.lines)) == (1, 1)
    assert "http://127.0.0.1:9" in done.lines[0]


def test_a_port_in_use_is_named(server: Server, tmp_path: Path) -> None:
    """One line names the options, and no server starts."""
    port = server.url.rsplit(":", 1)[1]
    done = clipmill("serve", "--port", port, "--state", tmp_path, env=dict(generate_keys()))
    assert (done.code, len(done.lines)) == (1, 1)
    assert f"--host 127.0.0.1 --port {port}: " in done.lines[0]


def test_serve_uses_the_postgresql_of_database_url(fresh_postgres: str, tmp_path: Path) -> None:
    """An unreachable database is one line without the password."""
    keys = generate_keys()
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **keys}
    words = ("serve", "--port", "0", "--workers", "0", "--state", tmp_path / "state")
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with started(*words, env={**env, "DATABASE_URL": fresh_postgres}, **more) as process:
        assert process.stdout is not None
        head = [process.stdout.readline() for _ in range(6)]
        quota = clipmill(
            "quota", "-o", "json", env={**keys, "CLIPMILL_API_URL": head[0].split()[-1]}
        )
        process.terminate()
    assert (quota.code, json.loads(quota.out)["owner"]) == (0, "local"), quota
    assert "PostgreSQL" in head[3]
    assert not (tmp_path / "state" / "clipmill.db").exists()
    unreachable = "postgresql://ada:hidden@127.0.0.1:9/clipmill"
    done = clipmill(*words, env={**keys, "DATABASE_URL": unreachable})
    assert (done.code, len(done.lines)) == (1, 1), done
    assert done.lines[0].startswith("clipmill: DATABASE_URL: ")
    assert "hidden" not in done.lines[0]
