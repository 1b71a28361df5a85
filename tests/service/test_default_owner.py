"""The owner of a single-tenant install: there after the start, by the key that was given."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from clipmill_api.http.authentication import new_key
from clipmill_api.settings import Settings, UnsafeSettings
from clipmill_client.errors import PermanentError
from harness import running

OWNERS = "SELECT u.name, u.tier, k.id FROM users u JOIN keys k ON k.owner = u.name"


def test_the_owner_is_there_once_and_a_new_key_ends_the_old(
    tmp_path: Path, database_url: str
) -> None:
    """Three starts, the last with another key: one row each, and only the newest key opens."""
    name = f"d{uuid.uuid4().hex[:8]}"
    first, second = new_key("user"), new_key("user")
    for key in (first, first, second):
        more = {"default_owner": name, "default_owner_key": key}
        with running(tmp_path, database_url, **more) as api:
            assert api.client(key).account().tier == "Unlimited"
            assert api.rows(f"{OWNERS} WHERE u.name = :name", name=name) == [
                {"name": name, "tier": "Unlimited", "id": "s-default-owner"}
            ]
    with running(tmp_path, database_url) as api, pytest.raises(PermanentError) as refused:
        api.client(first).account()
    assert refused.value.status == 401


@pytest.mark.parametrize(
    ("owner", "key", "said"),
    [
        ("default", "", "CLIPMILL_DEFAULT_OWNER and CLIPMILL_DEFAULT_OWNER_KEY belong together"),
        ("default", "secret", "CLIPMILL_DEFAULT_OWNER_KEY is not of the form cm_u_"),
        ("Default", "cm_u_0123456789abcdefghijklmnopqrstuvwxyz", "'Default': 1 to 63 lower-case"),
    ],
)
def test_an_unsafe_default_owner_is_refused(
    tmp_path: Path, owner: str, key: str, said: str
) -> None:
    """Half a pair, a typed key and a name that no resource could carry do not start."""
    with pytest.raises(UnsafeSettings, match=said):
        Settings(
            state=tmp_path,
            admin_key=new_key("admin"),
            operator_key=new_key("operator"),
            default_owner=owner,
            default_owner_key=key,
        )
