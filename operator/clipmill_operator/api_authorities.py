"""The CAs of the API's certificate: for the operator's own calls, and for those of job pods."""

from __future__ import annotations

from clipmill.environment import InvalidSettings
from clipmill_client.certificate_trust import ApiTrust, check_authorities, read_authorities
from clipmill_operator.settings import Settings


def newest_authorities(settings: Settings) -> str:
    """Return the CAs in PEM, or nothing if there are none beside the public ones.

    Raises:
        ValueError: Their file is missing or holds no certificate.
    """
    if settings.ca_file:
        return read_authorities(settings.ca_file)
    return check_authorities(settings.ca) if settings.ca else ""


def api_trust(settings: Settings) -> ApiTrust | None:
    """Return what the client of the API verifies certificates by. Raises InvalidSettings."""
    if not (settings.ca or settings.ca_file):
        return None
    try:
        return ApiTrust(lambda: newest_authorities(settings))
    except ValueError as error:
        name = "CLIPMILL_CA_FILE" if settings.ca_file else "CLIPMILL_CA"
        raise InvalidSettings(f"{name}: {error}") from None
