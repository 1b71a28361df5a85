"""Errors of a call to the API, divided by whether sending it again may help.

ClientError
+-- RetryableError     time-out, lost connection, 425, 429, 502 to 504, 507
+-- PermanentError     any other refusal: `code`, `detail` and the facts of its problem details
+-- LinkFailed         bytes could not be sent to a link of the object store; the API takes them
"""

from __future__ import annotations

from typing import Any

RETRYABLE_STATUSES = (425, 429, 502, 503, 504, 507)


class ClientError(Exception):
    """A failed call. `code` is stable and PascalCase; `str()` is one line for a person."""

    def __init__(self, code: str, detail: str, *, status: int = 0, **facts: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.facts = facts


class RetryableError(ClientError):
    """The request was not refused; it may succeed when it is sent again."""


class PermanentError(ClientError):
    """The API refused the request; sending it again yields the same response."""


class LinkFailed(ClientError):
    """An object store did not take the bytes that were sent to its link."""


def error_of_response(status: int, body: dict[str, Any], text: str) -> ClientError:
    """Return the error of a response with a status of 400 or above.

    Args:
        status: HTTP status.
        body: Problem details, or an empty dict if the response has none.
        text: Body as text, for the message if there are no problem details.
    """
    facts = {k: v for k, v in body.items() if k not in ("code", "detail", "status", "title")}
    code = str(body.get("code") or f"HTTP{status}")
    detail = str(body.get("detail") or text[:300] or f"the API answered with status {status}")
    kind = RetryableError if status in RETRYABLE_STATUSES else PermanentError
    return kind(code, detail, status=status, **facts)
