"""Keys of people: listed, revoked, expired; and the deletion of a user."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from clipmill.protocol import Stage
from clipmill_api.tables import Base
from clipmill_client import Client, PermanentError
from harness import Harness, library_clip, new_manifest
from pods import assemble, url

DAY_S = 86_400


def status_of(client: Client) -> int:
    """Return the status of a request with a client's key."""
    try:
        client.account()
    except PermanentError as error:
        return error.status
    return 200


def test_keys_are_listed_without_their_secret(api: Harness) -> None:
    """Id, creation, last use and expiry; newest first."""
    owner, user = api.user()
    unused = api.admin.create_key(owner, expires_in_s=DAY_S)
    user.account()
    views = api.admin.keys(owner)
    assert len(views) == 2
    fresh = next(view for view in views if view.expires_at)
    first = next(view for view in views if not view.expires_at)
    assert fresh.last_used_at is None
    assert first.last_used_at is not None
    assert {view.revoked_at for view in views} == {None}
    assert all(view.created_at for view in views)
    assert unused not in str(views)
    assert set(type(views[0]).model_fields) == {
        "id",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    }


def test_a_revoked_key_is_dead_at_once(api: Harness) -> None:
    """The other key of the user goes on; a repetition keeps the first time."""
    owner, user = api.user()
    other = api.client(api.admin.create_key(owner))
    user.account()
    used = next(view for view in api.admin.keys(owner) if view.last_used_at)
    api.admin.revoke_key(owner, used.id)
    assert (status_of(user), status_of(other)) == (401, 200)
    revoked = {view.id: view.revoked_at for view in api.admin.keys(owner)}
    api.admin.revoke_key(owner, used.id)
    assert {view.id: view.revoked_at for view in api.admin.keys(owner)} == revoked
    assert revoked[used.id] is not None


def test_a_key_of_another_user_is_unknown(api: Harness) -> None:
    """404, and the key lives; job keys cannot be revoked here either."""
    owner, user = api.user()
    stranger, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    api.operator.create_key(uid, Stage.FETCH, 1)
    job_keys = api.rows("SELECT id FROM keys WHERE owner = :o AND role = 'job'", o=owner)
    targets = [(stranger, api.admin.keys(owner)[0].id), (owner, job_keys[0]["id"])]
    for name, key_id in targets:
        with pytest.raises(PermanentError) as unknown:
            api.admin.revoke_key(name, key_id)
        assert unknown.value.status == 404
    assert status_of(user) == 200


def test_a_key_expires(api: Harness) -> None:
    """401 once its lifetime is over."""
    owner, _ = api.user()
    client = api.client(api.admin.create_key(owner, expires_in_s=DAY_S))
    assert status_of(client) == 200
    api.clock.advance(DAY_S + 1)
    try:
        assert status_of(client) == 401
    finally:
        api.clock.advance(-DAY_S - 1)


def rows_of(api: Harness, owner: str) -> dict[str, int]:
    """Return how many rows of each table name an owner, or a compilation of theirs."""
    tables = Base.metadata.tables
    compilations = tables["compilations"]
    own = select(compilations.c.id).where(compilations.c.owner == owner)
    counts = {}
    with api.ctx.db.read() as session:
        for table in tables.values():
            columns = [table.c[name] for name in ("owner", "principal") if name in table.c]
            conditions = [column == owner for column in columns]
            if "compilation_id" in table.c and not conditions:
                conditions = [table.c.compilation_id.in_(own)]
            if table.name == "users":
                conditions = [table.c.name == owner]
            for condition in conditions:
                query = select(func.count()).select_from(table).where(condition)
                counts[table.name] = session.scalar(query) or 0
    return counts


def test_a_deleted_user_leaves_no_row(api: Harness, two_seconds: Path) -> None:
    """Refused while a compilation is active; then every table is empty but the tombstones."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"mediaId": media.id}]})
    assemble(api.job(uid, Stage.ASSEMBLE), two_seconds)
    active = user.create(new_manifest(media.id), "key")
    with pytest.raises(PermanentError) as refused:
        api.admin.delete_user(owner)
    assert (refused.value.status, refused.value.code) == (409, "InUse")
    assert refused.value.facts["compilation"] == active.id
    user.cancel(active.id)
    before = rows_of(api, owner)
    assert {"media", "compilations", "keys", "render_usage", "idempotency"} <= {
        name for name, count in before.items() if count
    }
    ids = [row["id"] for row in api.rows("SELECT id FROM compilations WHERE owner = :o", o=owner)]
    api.admin.delete_user(owner)
    left = {name for name, count in rows_of(api, owner).items() if count}
    assert left == {"tombstones"}
    for table in ("revisions", "clips", "tasks", "log_lines", "result_media"):
        for compilation_id in ids:
            sql = f"SELECT 1 AS x FROM {table} WHERE compilation_id = :c"
            assert api.rows(sql, c=compilation_id) == [], table
    sql = "SELECT reason, sha256 FROM tombstones WHERE owner = :o"
    assert {(row["reason"], row["sha256"]) for row in api.rows(sql, o=owner)} >= {
        ("owner-deleted", media.sha256)
    }
    assert status_of(user) == 401
    with pytest.raises(PermanentError) as gone:
        api.admin.delete_user(owner)
    assert gone.value.status == 404
    assert owner not in {view.name for view in api.admin.users()}


def test_the_default_owner_is_not_deleted(single_owner_api: Harness) -> None:
    """Its key would come back at the next start."""
    with pytest.raises(PermanentError) as refused:
        single_owner_api.admin.delete_user("default")
    assert (refused.value.status, refused.value.code) == (409, "InUse")
