"""Which API a command talks to: a stored login, a running serve, or one in its own process."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import clipmaker
from commandline import Completed, clipmill, manifest_file, started
from harness import Harness


@contextmanager
def serving(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run `clipmill serve` without a key in its environment."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home)}
    more: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    line = ("serve", "--port", "0", "--state", home / "state", *words)
    with started(*line, env=env, **more) as process:
        assert process.stdout is not None
        process.head = [process.stdout.readline().rstrip() for _ in range(6)]  # type: ignore[attr-defined]
        yield process
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a running serve, with one clip and its manifest."""
    folder = tmp_path_factory.mktemp("home")
    clipmaker.clip(folder / "a.mp4", seconds=1)
    manifest_file(folder / "friday.yaml", [{"url": "a.mp4"}])
    with serving(folder) as process:
        (folder / "head").write_text("\n".join(process.head))  # type: ignore[attr-defined]
        yield folder


def url_of(home: Path) -> str:
    """Return the URL of the running serve."""
    return (home / "head").read_text().splitlines()[0].split()[-1]


def on_state(home: Path, *words: str | Path, **env: str) -> Completed:
    """Run a command on the state folder of the running serve."""
    return clipmill(*words, "--state", home / "state", env={"HOME": str(home), **env})


def test_commands_on_the_state_use_the_running_serve(home: Path, tmp_path: Path) -> None:
    """They need no key and no address; a render is submitted to it."""
    planned = on_state(home, "plan", home / "friday.yaml", "-o", "json")
    assert (planned.code, json.loads(planned.out)["state"]) == (0, "Pending"), planned
    rendered = on_state(home, "render", home / "friday.yaml", "-o", tmp_path)
    assert rendered.code == 0, rendered
    assert len(clipmaker.frame_times(tmp_path / "main.mp4")) == 30
    listed = json.loads(on_state(home, "list", "-o", "json").out)
    assert [(view["name"], view["state"]) for view in listed] == [("friday", "Succeeded")]
    served = httpx.get(
        f"{url_of(home)}/api/compilations",
        headers={
            "Authorization": f"Bearer {json.loads((home / 'state/keys.json').read_text())['user']}"
        },
    )
    assert [view["id"] for view in served.json()["items"]] == [listed[0]["id"]]


def test_hosts_are_allowed_by_the_running_serve_only(home: Path, tmp_path: Path) -> None:
    """An option that could have no effect is refused."""
    words = ("render", home / "friday.yaml", "-o", tmp_path, "--allow-host", "example.org")
    done = on_state(home, *words)
    assert (done.code, len(done.lines)) == (1, 1)
    assert url_of(home) in done.lines[0]
    assert "--allow-" in done.lines[0]


def test_keys_are_stored_for_the_owner_of_the_folder_only(home: Path) -> None:
    """As is the file that names the running serve."""
    for name in ("keys.json", "serve.json"):
        assert stat.S_IMODE((home / "state" / name).stat().st_mode) == 0o600


def test_a_killed_serve_is_not_used(tmp_path: Path) -> None:
    """Its file remains, its lock does not: the command starts an API of its own."""
    with serving(tmp_path, "--workers", "0") as process:
        process.kill()
        process.wait(30)
    assert (tmp_path / "state" / "serve.json").exists()
    done = on_state(tmp_path, "list", "-o", "json")
    assert (done.code, json.loads(done.out)) == (0, [])


def test_a_state_of_a_local_render_can_be_served(tmp_path: Path) -> None:
    """Its user keeps the key, and sees the media from before."""
    clip = clipmaker.clip(tmp_path / "a.mp4", seconds=1)
    media = json.loads(on_state(tmp_path, "media", "upload", clip, "-o", "json").out)[0]
    with serving(tmp_path, "--workers", "0"):
        listed = json.loads(on_state(tmp_path, "media", "list", "-o", "json").out)
    assert [item["id"] for item in listed] == [media["id"]]


def sign_in(url: str, code: str) -> httpx.Response:
    """Exchange the code of a link."""
    return httpx.post(f"{url}/api/session", headers={"Authorization": f"Bearer {code}"})


def test_the_link_of_the_dashboard_signs_in_once(home: Path) -> None:
    """The key that it returns expires; the code reads nothing, and is refused the second time."""
    link = (home / "head").read_text().splitlines()[1].split()[-1]
    url, code = link.split("/#sign-in=")
    as_key = httpx.get(f"{url}/api/quota", headers={"Authorization": f"Bearer {code}"})
    assert (as_key.status_code, as_key.json()["code"]) == (403, "Forbidden")
    reply = sign_in(url, code)
    key = reply.json()
    assert (reply.status_code, key["key"][:5]) == (201, "cm_u_")
    assert key["expiresAt"] > key["createdAt"]
    quota = httpx.get(f"{url}/api/quota", headers={"Authorization": f"Bearer {key['key']}"})
    assert quota.json()["owner"] == "local"
    again = sign_in(url, code)
    assert (again.status_code, again.json()["code"]) == (401, "Unauthorized")


def test_an_old_link_does_not_sign_in(api: Harness) -> None:
    """It is valid for fifteen minutes."""
    _, user = api.user()
    link = user.sign_in.link()
    api.clock.advance(15 * 60 + 1)
    assert sign_in(api.url, link.code).status_code == 401


def test_another_link(home: Path) -> None:
    """`clipmill dashboard` asks the running serve for one."""
    env = {"HOME": str(home), "XDG_DATA_HOME": str(home / "data")}
    (home / "data").mkdir()
    (home / "data" / "clipmill").symlink_to(home / "state")
    done = clipmill("dashboard", env=env)
    url, code = done.out.strip().split("/#sign-in=")
    assert (url, sign_in(url, code).status_code) == (url_of(home), 201)


@pytest.fixture
def login(api: Harness, tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has logged in."""
    owner, _ = api.user()
    env = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config"), "OWNER": owner}
    done = clipmill("login", api.url, env=dict(env), given=f"{api.admin.create_key(owner)}\n")
    assert done.code == 0, done
    assert owner in done.out
    return env


def test_a_login_is_used(api: Harness, login: dict[str, str], tmp_path: Path) -> None:
    """By commands without an address or with its address; its file is private."""
    path = tmp_path / "config" / "clipmill" / "login.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for words in (("quota", "-o", "json"), ("quota", "-o", "json", "--api-url", f"{api.url}/")):
        done = clipmill(*words, env=dict(login))
        assert json.loads(done.out)["owner"] == login["OWNER"], done
    assert clipmill("logout", env=dict(login)).out == "logged out\n"
    assert not path.exists()
    assert clipmill("logout", env=dict(login)).out == "there was no stored login\n"


def test_a_stored_key_goes_to_no_other_address(login: dict[str, str]) -> None:
    """Another address needs a key of its own."""
    done = clipmill("quota", "--api-url", "http://127.0.0.1:9", env=dict(login))
    assert (done.code, len(done.lines)) == (2, 1)
    assert "CLIPMILL_API_KEY" in done.lines[0]


def test_the_state_option_is_preferred_to_a_login(login: dict[str, str], tmp_path: Path) -> None:
    """It names the local API."""
    done = clipmill("quota", "-o", "json", "--state", tmp_path / "state", env=dict(login))
    assert json.loads(done.out)["owner"] == "local"


@pytest.mark.parametrize(
    ("given", "code", "fact"),
    [("", 2, "<key.txt"), ("cm_u_wrong\n", 1, "[Unauthorized]"), ("ключ\n", 2, "characters")],
)
def test_a_wrong_login_stores_nothing(
    api: Harness, tmp_path: Path, given: str, code: int, fact: str
) -> None:
    """The API checks the key first."""
    env = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    done = clipmill("login", api.url, env=dict(env), given=given)
    assert (done.code, len(done.lines)) == (code, 1), done
    assert fact in done.lines[0]
    assert not (tmp_path / "clipmill").exists()
