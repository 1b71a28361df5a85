"""Credentials over HTTP on both databases: what is stored, shown, refused and decrypted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from clipmill.protocol.integrations.credential_models import (
    CREDENTIAL,
    CredentialKind,
    DiscordBot,
    HostProxy,
    TwitchApplication,
)
from clipmill_api.credentials import credential_store
from clipmill_api.credentials.keyring import new_keyring_text
from clipmill_api.http.problem_details import ApiProblem
from clipmill_client import Client, PermanentError
from commandline import clipmill
from harness import Harness, running

SECRET = "canary-0815-value"
BOT = CREDENTIAL.validate_python({"kind": "discord", "botToken": SECRET})
TWITCH = CREDENTIAL.validate_python({"kind": "twitch", "clientId": "ab", "clientSecret": SECRET})
COOKIES = {
    "kind": "cookies",
    "host": "youtube.com",
    "cookies": f".youtube.com\tTRUE\t/\tTRUE\t0\tSID\t{SECRET}\n",
}
FIRST, SECOND = new_keyring_text(), new_keyring_text().replace("k1:", "k2:")


@pytest.fixture(scope="module")
def own_api(own_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API with a key, on each database; the rows of others do not disturb it."""
    state = tmp_path_factory.mktemp("state")
    with running(state, own_database_url, credential_keys=FIRST) as harness:
        yield harness


def http(api: Harness, user: Client, method: str, path: str, **more: Any) -> httpx.Response:
    """Send a request with a user's key."""
    headers = {"Authorization": user.connection._http.headers["Authorization"]}
    return httpx.request(method, f"{api.url}{path}", headers=headers, **more)


def decrypted(api: Harness, owner: str, name: str, kind: CredentialKind) -> Any:
    """Return a credential as a task of this owner gets it."""
    return api.ctx.db.write(
        lambda session: credential_store.credentials_for(session, api.ctx, owner, name, kind)
    )


def test_a_credential_is_stored_listed_replaced_and_deleted(own_api: Harness) -> None:
    """The views have no values; a new value keeps the time of creation."""
    owner, user = own_api.user()
    created = user.credentials.put("my-bot", BOT)
    assert (created.kind, created.hosts, created.last_used_at) == (CredentialKind.DISCORD, [], None)
    own_api.clock.advance(5)
    replaced = user.credentials.put("my-bot", TWITCH)
    assert (replaced.kind, replaced.created_at) == (CredentialKind.TWITCH, created.created_at)
    assert replaced.changed_at > created.changed_at
    assert user.credentials.list() == [replaced]
    assert decrypted(own_api, owner, "my-bot", CredentialKind.TWITCH) == TWITCH
    assert user.credentials.list()[0].last_used_at is not None
    user.credentials.delete("my-bot")
    assert user.credentials.list() == []
    with pytest.raises(PermanentError, match="does not exist"):
        user.credentials.delete("my-bot")


def test_credentials_of_others_do_not_exist(own_api: Harness) -> None:
    """Neither in lists nor by name, nor for a task."""
    _, user = own_api.user()
    stranger, other = own_api.user()
    user.credentials.put("my-bot", BOT)
    assert other.credentials.list() == []
    assert http(own_api, other, "GET", "/api/credentials/my-bot").status_code == 404
    assert http(own_api, other, "DELETE", "/api/credentials/my-bot").status_code == 404
    with pytest.raises(ApiProblem) as problem:
        decrypted(own_api, stranger, "my-bot", CredentialKind.DISCORD)
    assert problem.value.code == "UnknownCredential"
    assert len(user.credentials.list()) == 1


def test_another_kind_is_refused(own_api: Harness) -> None:
    """A show that names a bot as its Twitch application gets a code of its own."""
    owner, user = own_api.user()
    user.credentials.put("my-bot", BOT)
    with pytest.raises(ApiProblem) as problem:
        decrypted(own_api, owner, "my-bot", CredentialKind.TWITCH)
    assert problem.value.code == "WrongCredentialKind"


def test_each_kind_is_returned_as_its_model(own_api: Harness) -> None:
    """For the code that calls the platforms."""
    owner, user = own_api.user()
    values = {
        "bot": BOT,
        "app": TWITCH,
        "way-out": CREDENTIAL.validate_python(
            {"kind": "proxy", "url": f"http://u:{SECRET}@p.example.org:3128", "hosts": ["a.org"]}
        ),
    }
    for name, value in values.items():
        user.credentials.put(name, value)
    models = [decrypted(own_api, owner, name, value.kind) for name, value in values.items()]
    assert [type(model) for model in models] == [
        DiscordBot,
        TwitchApplication,
        HostProxy,
    ]
    assert models == list(values.values())


MALFORMED = [
    {"kind": "discord", "botToken": f"{SECRET} "},
    {"kind": "discord", "botToken": [SECRET]},
    {"kind": "discord", "bottoken": SECRET},
    {"kind": "twitch", "clientSecret": SECRET},
    {"kind": "twitch", "clientId": f"{SECRET}!", "clientSecret": SECRET},
    {"kind": "other", "value": SECRET},
    {"kind": "proxy", "url": f"ftp://u:{SECRET}@p.example.org:21", "hosts": ["a.org"]},
    {"kind": "proxy", "url": f"http://u:{SECRET}@p.example.org:21", "hosts": ["a.org"]},
    {"kind": "proxy", "url": f"http://u:{SECRET}@10.0.0.1:3128", "hosts": ["a.org"]},
    {"kind": "proxy", "url": f"http://u:{SECRET}@proxy.svc:3128", "hosts": ["a.org"]},
    {**COOKIES, "host": "twitch.tv"},
    {**COOKIES, "cookies": SECRET},
    [SECRET],
]


@pytest.mark.parametrize("body", MALFORMED)
def test_no_error_shows_a_value(own_api: Harness, body: Any) -> None:
    """The problem names field and rule; nothing is stored."""
    _, user = own_api.user()
    response = http(own_api, user, "PUT", "/api/credentials/name", json=body)
    assert response.status_code == 422
    assert response.json()["code"] in ("Invalid", "ForbiddenTarget")
    assert SECRET not in response.text
    assert user.credentials.list() == []


def test_an_owner_has_a_hundred_at_most(own_api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replacement is no further one."""
    monkeypatch.setattr(credential_store, "MAX_CREDENTIALS", 2)
    _, user = own_api.user()
    user.credentials.put("a", BOT)
    user.credentials.put("b", BOT)
    user.credentials.put("b", TWITCH)
    with pytest.raises(PermanentError) as refused:
        user.credentials.put("c", BOT)
    assert refused.value.code == "CredentialLimit"


def test_a_value_that_was_moved_to_another_row_is_refused(own_api: Harness) -> None:
    """A ciphertext is bound to its owner, name, kind and hosts."""
    owner, user = own_api.user()
    thief, other = own_api.user()
    user.credentials.put("my-bot", BOT)
    fake = CREDENTIAL.validate_python({"kind": "discord", "botToken": "another-token"})
    other.credentials.put("my-bot", fake)
    _execute(
        own_api,
        "UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE owner = :a)"
        " WHERE owner = :b",
        a=owner,
        b=thief,
    )
    with pytest.raises(ApiProblem) as problem:
        decrypted(own_api, thief, "my-bot", CredentialKind.DISCORD)
    assert problem.value.code == "CredentialUnreadable"
    assert decrypted(own_api, owner, "my-bot", CredentialKind.DISCORD) == BOT


def _execute(api: Harness, sql: str, **values: Any) -> None:
    api.ctx.db.write(lambda session: session.execute(text(sql), values))


def test_a_deleted_user_leaves_no_credential(own_api: Harness) -> None:
    """The rows go with the user."""
    owner, user = own_api.user()
    user.credentials.put("my-bot", BOT)
    own_api.admin.delete_user(owner)
    assert own_api.rows("SELECT name FROM credentials WHERE owner = :o", o=owner) == []


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_installation_without_a_key_names_the_setting(api: Harness, method: str) -> None:
    """409, also for the list; deleting goes on."""
    _, user = api.user()
    path = "/api/credentials" + ("/my-bot" if method == "PUT" else "")
    body = {"json": {"kind": "discord", "botToken": SECRET}} if method == "PUT" else {}
    response = http(api, user, method, path, **body)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (409, "CredentialsDisabled")
    assert "CLIPMILL_CREDENTIAL_KEYS" in problem["detail"]
    assert http(api, user, "DELETE", "/api/credentials/my-bot").status_code == 404


def test_keys_are_exchanged_without_losing_a_value(empty_database_url: str, tmp_path: Path) -> None:
    """Both keys, rotate, the new key alone; a second rotation changes nothing."""
    state, database = tmp_path / "state", {"database_url": empty_database_url}
    with running(state, **database, credential_keys=FIRST) as api:
        owner, user = api.user()
        user.credentials.put("my-bot", BOT)
        user.credentials.put("my-app", TWITCH)
    with running(state, **database, credential_keys=f"{SECOND},{FIRST}") as api:
        rotation = api.admin.rotate_credentials()
        assert (rotation.key_id, rotation.rotated, rotation.total) == ("k2", 2, 2)
        assert api.admin.rotate_credentials().rotated == 0
    with running(state, **database, credential_keys=SECOND) as api:
        assert decrypted(api, owner, "my-bot", CredentialKind.DISCORD) == BOT
    with running(state, **database, credential_keys=FIRST) as api:
        rotation = api.admin.rotate_credentials()
        assert (rotation.rotated, rotation.total, rotation.unreadable) == (0, 2, ["k2: 2"])
        with pytest.raises(ApiProblem) as problem:
            decrypted(api, owner, "my-bot", CredentialKind.DISCORD)
        assert problem.value.code == "CredentialUnreadable"
        assert "k2" in problem.value.detail


# --- the command line -----------------------------------------------------------------------------


@pytest.fixture
def env(own_api: Harness) -> dict[str, str | None]:
    """The variables of a new user."""
    owner, _ = own_api.user()
    return {"CLIPMILL_API_URL": own_api.url, "CLIPMILL_API_KEY": own_api.admin.create_key(owner)}


def test_secrets_are_read_from_a_file(tmp_path: Path, env: dict[str, str | None]) -> None:
    """The list shows names and kinds."""
    file = tmp_path / "cookies.txt"
    file.write_text(COOKIES["cookies"])
    words = ("credentials", "set", "yt", "--kind", "cookies", "--host", "youtube.com")
    done = clipmill(*words, "--file", file, env=env)
    assert done.code == 0, done
    listed = clipmill("credentials", "list", env=env)
    assert "youtube.com" in listed.out
    assert (
        SECRET
        not in done.out + listed.out + clipmill("credentials", "list", "-o", "json", env=env).out
    )
    assert clipmill("credentials", "delete", "yt", env=env).code == 0


def test_secrets_are_read_from_standard_input(env: dict[str, str | None]) -> None:
    """Two lines for Twitch: the client secret and the user's token."""
    words = ("credentials", "set", "app", "--kind", "twitch", "--client-id", "ab")
    assert clipmill(*words, env=env, given=f"{SECRET}\n{SECRET}-2\n").code == 0
    assert clipmill(*words, "--file", "-", env=env, given=f"{SECRET}\n").code == 0


def test_wrong_values_are_refused_without_showing_them(
    tmp_path: Path, env: dict[str, str | None]
) -> None:
    """Exit 2 and one line, before anything is sent."""
    file = tmp_path / "secret"
    file.write_text(f".google.com\tTRUE\t/\tTRUE\t0\tSID\t{SECRET}\n")
    words = ("credentials", "set", "yt", "--kind", "cookies", "--file", file)
    done = clipmill(*words, "--host", "youtube.com", env=env)
    assert (done.code, len(done.lines)) == (2, 1)
    assert "google.com" in done.err
    assert clipmill(*words, env=env).code == 2
    assert clipmill("credentials", "set", "A b", "--kind", "discord", env=env).code == 2
    assert SECRET not in done.err


def test_a_local_state_folder_gets_its_key_at_first_use(tmp_path: Path) -> None:
    """Readable by its owner only, and kept."""
    words = ("credentials", "set", "bot", "--kind", "discord", "--state", tmp_path / "state")
    assert clipmill(*words, given=f"{SECRET}\n").code == 0
    file = tmp_path / "state/credential-keys"
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_text()
    assert clipmill(*words, given=f"{SECRET}\n").code == 0
    assert file.read_text() == before
    assert not list((tmp_path / "state").glob("credential-keys.*"))
