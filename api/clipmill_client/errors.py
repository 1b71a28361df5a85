"""What can go wrong at the other end of the wire, split into try again and give up.

ClientError
+-- RetryableError     time-outs, lost connections, 429, 502-504: trying again may help
+-- PermanentError     the API refused: `code`, `detail` and the facts it gave
"""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """A call failed. `code` is stable and PascalCase; str() is one line for a person."""

    def __init__(self, code: str, detail: str, *, status: int = 0, **facts: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.facts = facts


class RetryableError(ClientError):
    """Nothing is known to be wrong with the request: it may be sent again."""


class PermanentError(ClientError):
    """The API answered that it will not: sending the same again gives the same answer."""


def from_response(status: int, body: dict[str, Any], text: str) -> ClientError:
    """The error of a reply with status >= 400, from its problem details if it has them."""
    facts = {k: v for k, v in body.items() if k not in ("code", "detail", "status", "title")}
    code = str(body.get("code") or f"HTTP{status}")
    detail = str(body.get("detail") or text[:300] or f"the API answered {status}")
    kind = RetryableError if status in (425, 429, 502, 503, 504) else PermanentError
    return kind(code, detail, status=status, **facts)
