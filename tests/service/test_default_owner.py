"""The owner of a single-tenant installation, created at the start with the configured key."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from clipmill.environment import InvalidSettings
from clipmill_api.http.authentication import new_key
from clipmill_api.settings import Settings
from clipmill_client import PermanentError
from harness import running

OWNERS = "SELECT u.name, u.tier, k.id FROM users u JOIN keys k ON k.owner = u.name"


def test_a_changed_key_replaces_the_earlier_one(tmp_path: Path, empty_database_url: str) -> None:
    """After three starts, the last with another key, there is one owner with one key.

    A start without a default owner leaves the owner, with everything they have, but no key.
    """
    name = f"d{uuid.uuid4().hex[:8]}"
    first, second = new_key("user"), new_key("user")
    for key in (first, first, second):
        owner = {"default_owner": name, "default_owner_key": key}
        with running(tmp_path / "s", empty_database_url, **owner) as api:
            assert api.client(key).account().tier == "Unlimited"
            assert api.rows(f"{OWNERS} WHERE u.name = :name", name=name) == [
                {"name": name, "tier": "Unlimited", "id": "s-default-owner"}
            ]
    with running(tmp_path / "s", empty_database_url) as api:
        for key in (first, second):
            with pytest.raises(PermanentError) as refused:
                api.client(key).account()
            assert refused.value.status == 401
        assert api.rows(f"{OWNERS} WHERE u.name = :name", name=name) == []
        assert api.rows("SELECT name FROM users WHERE name = :name", name=name) == [{"name": name}]


UNSAFE = [
    ("default", "", "CLIPMILL_DEFAULT_OWNER and CLIPMILL_DEFAULT_OWNER_KEY"),
    ("", "cm_u_0123456789abcdefghijklmnopqrstuvwxyz", "CLIPMILL_DEFAULT_OWNER and"),
    ("default", "secret", "CLIPMILL_DEFAULT_OWNER_KEY: must be cm_u_"),
    ("Default", "cm_u_0123456789abcdefghijklmnopqrstuvwxyz", "CLIPMILL_DEFAULT_OWNER is 'Default'"),
]


@pytest.mark.parametrize(("owner", "key", "message"), UNSAFE)
def test_an_unsafe_default_owner_is_refused(
    tmp_path: Path, owner: str, key: str, message: str
) -> None:
    """A missing half, a weak key, and a name that no resource can have."""
    environ = {
        "CLIPMILL_STATE": str(tmp_path),
        "CLIPMILL_ADMIN_KEY": new_key("admin"),
        "CLIPMILL_OPERATOR_KEY": new_key("operator"),
        "CLIPMILL_DEFAULT_OWNER": owner,
        "CLIPMILL_DEFAULT_OWNER_KEY": key,
    }
    with pytest.raises(InvalidSettings) as refused:
        Settings.from_environ(environ)
    assert str(refused.value).startswith(message)
