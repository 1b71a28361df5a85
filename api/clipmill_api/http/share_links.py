"""Links that need no key: signed, and valid for a limited time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from datetime import UTC, datetime
from urllib.parse import quote

from clipmill_api.context import Context
from clipmill_api.http.problem_details import ApiProblem

PATH = "/api/shared"
_PURPOSE = b"clipmill share links 1"


def share_url(ctx: Context, media_id: str, name: str, expires: int) -> str:
    """Return the link to a media file until a time, in seconds since 1970.

    It begins with the public URL of the settings, or is a path without one.
    """
    path = f"{PATH}/{media_id}/{quote(name, safe='')}"
    signature = _signature(ctx, media_id, name, expires)
    return f"{ctx.settings.public_url.rstrip('/')}{path}?expires={expires}&signature={signature}"


def require_signature(
    ctx: Context, media_id: str, name: str, *, expires: int, signature: str
) -> None:
    """Raise 404 unless the link was signed here and has not expired."""
    expected = _signature(ctx, media_id, name, expires)
    is_signed = hmac.compare_digest(expected.encode(), signature.encode())
    if not is_signed or datetime.fromtimestamp(expires, UTC) <= ctx.now():
        raise ApiProblem(404, "NotFound", "link: it has expired, or was changed; ask for another")


def _signature(ctx: Context, media_id: str, name: str, expires: int) -> str:
    """Sign by a key that is derived from the administrator's: another one ends all links."""
    key = hmac.digest(ctx.settings.admin_key.encode(), _PURPOSE, "sha256")
    text = "\n".join((media_id, str(expires), name)).encode()
    return base64.urlsafe_b64encode(hmac.digest(key, text, hashlib.sha256)).decode().rstrip("=")


class HideSignatures(logging.Filter):
    """Keep signatures of links out of uvicorn's log of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut the query off the path of a link."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.partition("?")[0] if isinstance(arg, str) and PATH in arg else arg
                for arg in record.args
            )
        return True
