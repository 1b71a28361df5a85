"""Database and blob store belong together: both hold the id of one installation.

A wrong DATABASE_URL, a reinstallation on a kept volume, or two releases on one bucket are noticed
at the start, before anything is changed.
"""

from __future__ import annotations

import logging
import uuid

from clipmill_api.context import Context
from clipmill_api.errors import StartRefused
from clipmill_api.queries import installation, media_library

log = logging.getLogger(__name__)
# Rows whose blobs are looked for in a store without an id, such as one of release 0.1.0.
SAMPLE_ROWS = 20


def check_identity(ctx: Context) -> str:
    """Return the installation's id, which database and store get if they are new.

    Raises:
        StartRefused: The store belongs to another installation, or its id is missing while its
            blobs are not those of the database.
    """
    new_id = uuid.uuid4().hex
    own = ctx.db.write(lambda session: installation.installation_id(session, new_id, ctx.now()))
    named = ctx.store.installation()
    if named is None and (ctx.settings.adopt_store == own or _belongs_together(ctx)):
        named = ctx.store.claim(own)
    if named is None:
        raise StartRefused(_message(ctx, own, "names no installation"))
    if named == own:
        return own
    if ctx.settings.adopt_store != named:
        raise StartRefused(_message(ctx, named, f"belongs to installation {named}"))
    log.warning("database adopts the store of installation=%s instead of=%s", named, own)
    ctx.db.write(lambda session: installation.set_installation_id(session, named))
    return named


def _belongs_together(ctx: Context) -> bool:
    """Return whether both are empty, or the store holds blobs of the database."""
    with ctx.db.read() as session:
        blobs = media_library.newest_blobs(session, SAMPLE_ROWS)
    if not blobs:
        return not ctx.store.has_blobs()
    return any(ctx.store.exists(owner, sha256) for owner, sha256 in blobs)


def _message(ctx: Context, accepted: str, finding: str) -> str:
    return (
        f"blob store {ctx.store.name}: {finding}, and does not hold the files of this database."
        " Nothing was changed. Set DATABASE_URL and CLIPMILL_STORE (or CLIPMILL_STATE) to a pair"
        " that belongs together. To join these two in spite of it, start once with"
        f" CLIPMILL_ADOPT_STORE={accepted}"
    )
