"""The SDK: a typed HTTP client, transfers and errors. Imports neither server nor command line.

In: the URL and a key of an API. Out: replies as models of `clipmill.protocol`, and files; every
failure is a RetryableError or a PermanentError.
"""

from clipmill_client import light_httpx  # noqa: F401  before the first import of httpx

# isort: split
from clipmill_client.certificate_trust import ApiTrust
from clipmill_client.client import Client
from clipmill_client.errors import ClientError, PermanentError, RetryableError

__all__ = ["ApiTrust", "Client", "ClientError", "PermanentError", "RetryableError"]
