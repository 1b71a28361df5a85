"""The SDK: a typed HTTP client, transfers and errors. Imports neither server nor command line.

In: the URL and a key of an API. Out: replies as models of `clipmill.protocol`, and files; every
failure is a RetryableError or a PermanentError.

What is not used is not loaded: the errors alone take a hundredth of the time of the client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clipmill_client.certificate_trust import ApiTrust
    from clipmill_client.client import Client
    from clipmill_client.errors import ClientError, PermanentError, RetryableError

__all__ = ["ApiTrust", "Client", "ClientError", "PermanentError", "RetryableError"]
_MODULES = {
    "ApiTrust": "clipmill_client.certificate_trust",
    "Client": "clipmill_client.client",
    "ClientError": "clipmill_client.errors",
    "PermanentError": "clipmill_client.errors",
    "RetryableError": "clipmill_client.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
