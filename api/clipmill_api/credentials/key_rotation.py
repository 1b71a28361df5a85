"""Encrypt every stored secret with the first key, so that earlier keys can be removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

from clipmill.protocol.integrations.credential_models import KeyRotation
from clipmill_api.context import Context
from clipmill_api.credentials.credential_store import open_row, require_keys, seal_row
from clipmill_api.credentials.keyring import DamagedSecret, UnknownKey
from clipmill_api.database import Session
from clipmill_api.notifications.webhook_store import open_webhook, seal_webhook
from clipmill_api.queries.integrations import credential_rows, webhook_rows

# Returns the id of the key before, or None if the row is gone. Raises UnknownKey, DamagedSecret.
Reseal = Callable[[Context, Session], str | None]


def rotate(ctx: Context) -> KeyRotation:
    """Encrypt everything with the first key, each value in a transaction of its own.

    Repeating it changes nothing. Values that cannot be read are left and counted.
    """
    require_keys(ctx)
    rotated, total = 0, 0
    unreadable: Counter[str] = Counter()
    for reseal in _secrets(ctx):
        total += 1
        try:
            key_id = ctx.db.write(partial(reseal, ctx))
        except UnknownKey as error:
            unreadable[str(error)] += 1
        except DamagedSecret:
            unreadable["damaged"] += 1
        else:
            rotated += key_id not in (None, ctx.keyring.current)
    listed = [f"{key_id}: {count}" for key_id, count in sorted(unreadable.items())]
    return KeyRotation(key_id=ctx.keyring.current, rotated=rotated, total=total, unreadable=listed)


def _secrets(ctx: Context) -> list[Reseal]:
    with ctx.db.read() as session:
        names = credential_rows.list_names(session)
        webhooks = webhook_rows.list_webhook_names(session)
    credentials = [_credential(owner, name) for owner, name in names]
    return credentials + [_webhook(owner, name) for owner, name in webhooks]


def _credential(owner: str, name: str) -> Reseal:
    def reseal(ctx: Context, session: Session) -> str | None:
        row = credential_rows.lock_credential(session, owner, name)
        if row is None:
            return None
        before = row.key_id
        text = open_row(ctx, row)
        if before != ctx.keyring.current:
            seal_row(ctx, row, text)
        return before

    return reseal


def _webhook(owner: str, name: str) -> Reseal:
    def reseal(ctx: Context, session: Session) -> str | None:
        row = webhook_rows.find_webhook(session, owner, name, lock=True)
        if row is None:
            return None
        before = row.key_id
        values = open_webhook(ctx, row)
        if before != ctx.keyring.current:
            seal_webhook(ctx, row, values)
        return before

    return reseal
