"""Transactions that do not wait for the disk: those of heartbeats, and no others."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, event, text

from clipmill.protocol import Heartbeat, Stage
from clipmill_api.database import Session
from harness import Harness
from pods import url


def waits_for_disk(connection: Connection) -> bool:
    """Return whether the transaction's COMMIT waits until the disk has it."""
    if connection.dialect.name == "postgresql":
        return connection.scalar(text("SHOW synchronous_commit")) == "on"
    return connection.scalar(text("PRAGMA synchronous")) == 2  # FULL; 1 is NORMAL


def session_waits_for_disk(session: Session) -> bool:
    """Return the same of a session's transaction."""
    return waits_for_disk(session.connection())


def test_only_on_request(api: Harness) -> None:
    """A setting of one transaction does not outlive it."""
    db = api.ctx.db
    for is_durable in (True, False, True):
        assert db.write(session_waits_for_disk, is_durable=is_durable) is is_durable
        assert db.write_columns(waits_for_disk, is_durable=is_durable) is is_durable
    assert db.write(session_waits_for_disk) is True
    assert db.write_columns(waits_for_disk) is True


def test_heartbeats_do_not_wait(api: Harness) -> None:
    """A claim is durable before its reply; a heartbeat is stored, but need not be."""
    owner, user = api.user()
    uid, plan = api.register(owner, {"clips": [{"url": url()}]})
    job = api.job(uid, Stage.FETCH)
    durable: list[bool] = []

    def note(connection: Connection) -> None:
        durable.append(waits_for_disk(connection))

    event.listen(Engine, "commit", note)
    try:
        epoch = job.claim(0, "pod").epoch
        claims = len(durable)
        job.heartbeat(Heartbeat(index=0, epoch=epoch, percent=40, log=["one line"]))
    finally:
        event.remove(Engine, "commit", note)
    assert durable == [True] * claims + [False]
    assert "one line" in user.compilation(str(plan.compilation_id)).log
