"""`clipmill serve` as a process, and every command that talks to it."""

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

BAD_KEYS: list[tuple[dict[str, str], str]] = [
    ({"CLIPMILL_ADMIN_KEY": ""}, "CLIPMILL_ADMIN_KEY is not set: make one by `clipmill keygen`"),
    ({"CLIPMILL_ADMIN_KEY": "secret"}, "CLIPMILL_ADMIN_KEY is not of the form cm_a_"),
    ({"CLIPMILL_OPERATOR_KEY": f"cm_o_{'ab' * 20}"}, "CLIPMILL_OPERATOR_KEY repeats few"),
    ({"CLIPMILL_API_KEY": "mine"}, "CLIPMILL_API_KEY is not of the form cm_u_"),
]


def keys() -> dict[str, str]:
    """What `clipmill keygen` prints, as a shell takes it."""
    lines = clipmill("keygen").out.splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def test_keys_are_fresh_and_of_three_roles() -> None:
    """As a shell reads them, and as JSON."""
    found = keys()
    assert list(found) == ["CLIPMILL_ADMIN_KEY", "CLIPMILL_OPERATOR_KEY", "CLIPMILL_API_KEY"]
    assert [key[:5] for key in found.values()] == ["cm_a_", "cm_o_", "cm_u_"]
    others = json.loads(clipmill("keygen", "-o", "json").out)
    assert not set(others.values()) & set(found.values())


@pytest.mark.parametrize(("change", "said"), BAD_KEYS, ids=[said for _, said in BAD_KEYS])
def test_a_weak_key_is_refused_in_one_line(
    change: dict[str, str], said: str, tmp_path: Path
) -> None:
    """The variable is named and its value is not shown; no server starts."""
    done = clipmill("serve", "--state", tmp_path / "state", env={**keys(), **change})
    assert (done.code, len(done.lines), done.out) == (2, 1, ""), done
    assert done.lines[0].startswith(f"clipmill: {said}")
    assert not (tmp_path / "state").exists()


class Server(NamedTuple):
    """A running `clipmill serve`."""

    url: str
    head: list[str]
    keys: dict[str, str]

    def __call__(self, *words: str | Path, **env: str) -> Completed:
        """A command that talks to it."""
        return clipmill(*words, env={**self.keys, "CLIPMILL_API_URL": self.url, **env})

    def json(self, *words: str | Path) -> Any:
        """The same, as data."""
        said = self(*words, "-o", "json")
        assert said.code == 0, said
        return json.loads(said.out)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An API with its operator, which ends by SIGTERM with code 0 and leaves nobody behind."""
    home, made = tmp_path_factory.mktemp("home"), keys()
    env = {"PATH": os.environ["PATH"], "HOME": str(home), **made}
    words = ("serve", "--port", "0", "--state", home / "state")
    with started(*words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        head = [process.stdout.readline().rstrip() for _ in range(6)]
        yield Server(head[0].split()[-1], head, made)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert not any(key in err for key in made.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip."""
    found = tmp_path_factory.mktemp("work")
    clipmaker.clip(found / "a.mp4", seconds=1)
    return found


@pytest.fixture(scope="module")
def done(server: Server, folder: Path) -> dict[str, Any]:
    """A compilation that was submitted and waited for."""
    manifest = manifest_file(folder / "friday.yaml", [{"url": "a.mp4"}])
    said = server("submit", manifest, "--wait", "-o", "json")
    assert said.code == 0, said
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_it_says_where_it_is_and_where_to_look(server: Server) -> None:
    """The pages answer there without a key; first where programs look, on the first line."""
    assert server.head[0] == f"Clipmill's API: {server.url}"
    for line, title in ((server.head[1], "Clipmill"), (server.head[2], "Clipmill")):
        page = httpx.get(line.split()[-1])
        assert (page.status_code, title in page.text) == (200, True)
    assert server.head[1].split()[-1] == f"{server.url}/"
    assert server.head[2].split()[-1] == f"{server.url}/docs"
    assert server.head[3].strip().startswith("database:     SQLite; bytes in ")
    assert server.head[5].strip() == "first user:   local (CLIPMILL_API_KEY)"


def test_what_is_submitted_is_rendered_here(server: Server, done: dict[str, Any]) -> None:
    """By real jobs: 30 frames, and render time in the usage."""
    assert (done["state"], done["outputs"][0]["frames"]) == ("Succeeded", 30)
    usage = server.json("usage")
    assert [(u["compilationId"], u["seconds"]) for u in usage] == [(done["id"], 1)]
    assert server.json("quota")["renderUsedSeconds"] == 1


def test_a_compilation_is_listed_shown_watched_and_fetched(
    server: Server, done: dict[str, Any], tmp_path: Path
) -> None:
    """As text and as JSON."""
    assert done["id"] in server("list").out
    assert done["id"] in [one["id"] for one in server.json("list", "--limit", "200")]
    assert "friday: complete" in server("get", done["id"]).out
    assert server.json("get", done["id"])["state"] == "Succeeded"
    watched = server("watch", done["id"])
    assert (watched.code, "friday: complete" in watched.out) == (0, True)
    got = server("download", done["id"], "-o", tmp_path)
    assert got.code == 0
    assert len(clipmaker.frame_times(tmp_path / "main.mp4")) == 30
    left = {"main.mp4", "main.jpg", "main-storyboard.png", "report.json"}
    assert left <= {path.name for path in tmp_path.iterdir()}
    assert server("cancel", done["id"]).code == 0
    assert server.json("get", done["id"])["state"] == "Succeeded"


def test_an_edit_is_a_new_generation_of_the_segments_that_exist(
    server: Server, folder: Path
) -> None:
    """The same manifest again changes nothing; one clip more renders one segment."""
    clips = [{"url": "a.mp4"}]
    made = server.json("submit", manifest_file(folder / "edited.yaml", clips), "--wait")
    same = server.json("edit", made["id"], folder / "edited.yaml", "--wait")
    assert (same["id"], same["generation"]) == (made["id"], 1)
    more = [*clips, {"url": "a.mp4", "name": "again", "end": "500ms"}]
    new = server.json("edit", made["id"], manifest_file(folder / "edited.yaml", more), "--wait")
    assert (new["generation"], new["outputs"][0]["frames"]) == (2, 45)
    assert new["outputs"][0]["segments"] == {"total": 2, "reused": 1, "rendered": 1}


def test_media_go_in_are_checked_and_go_out(server: Server, folder: Path, tmp_path: Path) -> None:
    """One upload however often, checked to its end, deleted when unused."""
    intro = clipmaker.clip(tmp_path / "intro.mp4", seconds=1, rate="24")
    media = server.json("media", "upload", intro, "--kind", "intro")[0]
    assert server.json("media", "upload", intro, "--kind", "intro")[0]["id"] == media["id"]
    assert media["id"] in server("media", "list").out
    checked = server.json("validate", media["id"])
    assert (checked["valid"], checked["frames"]) == (True, 24)
    assert server("media", "delete", media["id"]).out == f"deleted {media['id']}\n"
    again = server("media", "delete", media["id"])
    line = f"clipmill: there is no media '{media['id']}' [NotFound]"
    assert (again.code, again.lines) == (1, [line])


def test_a_user_gets_a_tier_and_a_key(server: Server) -> None:
    """Limits are changed one by one, the others stay."""
    assert server("admin", "tier", "Team", "--render-limit", "2h", "--max-clips", "9").code == 0
    server("admin", "tier", "Team", "--storage-limit", "1GiB")
    team = next(tier for tier in server.json("admin", "tiers") if tier["name"] == "Team")
    assert (team["renderLimitSeconds"], team["maxClips"]) == (7200, 9)
    assert team["storageLimitBytes"] == 1024**3
    assert server("admin", "user", "ada", "--tier", "Team").out == "ada is on the tier Team\n"
    assert {"name": "ada", "tier": "Team"} in server.json("admin", "users")
    key = server("admin", "key", "ada").out.strip()
    said = server("quota", CLIPMILL_API_KEY=key)
    assert said.out.startswith("ada, tier Team")


@pytest.mark.parametrize(
    ("words", "env", "code", "line"),
    [
        (["quota"], {"CLIPMILL_API_KEY": "cm_u_wrong"}, 1, "CLIPMILL_API_KEY: the key is missing"),
        (["admin", "users"], {"CLIPMILL_ADMIN_KEY": ""}, 2, "CLIPMILL_ADMIN_KEY is not set"),
        (["admin", "user", "ada", "--tier", "Gold"], {}, 2, "tier: there is no 'Gold'; there are"),
        (["admin", "user", "Ada L"], {}, 2, "name: String should match pattern"),
        (["admin", "tier", "Pro", "--storage-limit", "9GB"], {}, 2, "'9GB' is neither `none` nor"),
        (["get", "c-0123456789abcdef"], {}, 1, "there is no compilation 'c-0123456789abcdef'"),
        (["cancel", "../media/m-0123"], {}, 2, "Invalid value for 'ID': '../media/m-0123' is not"),
        (["watch", "c-0123456789abcdef"], {}, 1, "there is no compilation 'c-0123456789abcdef'"),
        (["validate", "m-0123456789abcdef"], {}, 1, "there is no media 'm-0123456789abcdef'"),
    ],
)
def test_a_refusal_is_one_line(
    server: Server, words: list[str], env: dict[str, str], code: int, line: str
) -> None:
    """With the API's own words and its code."""
    said = server(*words, **env)
    assert (said.code, len(said.lines), said.out) == (code, 1, ""), said
    assert said.lines[0].startswith(f"clipmill: {line}")


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is said, after a few tries."""
    monkeypatch.setattr("clipmill_client.api_connection.wait_random_exponential", lambda **_: 0)
    env = {"CLIPMILL_API_URL": "http://127.0.0.1:9", "CLIPMILL_API_KEY": "cm_u_x"}
    said = clipmill("list", env=env)
    assert (said.code, len(said.lines)) == (1, 1)
    assert said.lines[0].startswith("clipmill: the API at http://127.0.0.1:9 did not answer: ")


def test_a_port_in_use_is_named(server: Server, tmp_path: Path) -> None:
    """One line, and no server."""
    port = server.url.rsplit(":", 1)[1]
    said = clipmill("serve", "--port", port, "--state", tmp_path, env=dict(keys()))
    assert (said.code, said.lines) == (
        1,
        [f"clipmill: --host 127.0.0.1 --port {port}: address already in use"],
    )


def test_it_serves_a_postgresql_and_names_one_that_is_not_there(
    fresh_postgres: str, tmp_path: Path
) -> None:
    """By DATABASE_URL; what is wrong with it is one line without a password."""
    made = keys()
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **made}
    words = ("serve", "--port", "0", "--workers", "0", "--state", tmp_path / "state")
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    there = {**env, "DATABASE_URL": fresh_postgres}
    with started(*words, env=there, **more) as process:
        assert process.stdout is not None
        head = [process.stdout.readline() for _ in range(6)]
        url = head[0].split()[-1]
        said = clipmill("quota", env={**made, "CLIPMILL_API_URL": url})
        process.terminate()
    assert (said.code, said.out.startswith("local, tier ")) == (0, True), said
    assert "PostgreSQL (DATABASE_URL)" in head[3]
    assert "not rendered here" in head[4]
    assert not (tmp_path / "state" / "clipmill.db").exists()
    nowhere = "postgresql://ada:hidden@127.0.0.1:9/clipmill"
    said = clipmill(*words, env={**made, "DATABASE_URL": nowhere})
    assert (said.code, len(said.lines)) == (1, 1), said
    assert said.lines[0].startswith("clipmill: DATABASE_URL: the database cannot be used: ")
    assert "hidden" not in said.lines[0]
