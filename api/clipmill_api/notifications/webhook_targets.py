"""Which URLs an owner may have notifications delivered to. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from clipmill.spec.target_addresses import ForbiddenTarget, check_target

# Schemes of Apprise whose host is fixed by the service, and mail, whose host is checked.
CHAT_SCHEMES = ("discord", "slack", "tgram", "pover")
MAIL_SCHEMES = ("mailto", "mailtos")
APPRISE_SCHEMES = (*CHAT_SCHEMES, *MAIL_SCHEMES)


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Where notifications go. `shown` has no secret."""

    url: str
    shown: str
    is_apprise: bool


def check_webhook_url(url: str, *, private: Collection[str] = ()) -> WebhookTarget:
    """Return the target of a URL.

    Args:
        url: An https URL, or an Apprise address.
        private: Pairs of `host:port` that may be private, and reached by http.

    Raises:
        ForbiddenTarget: Another scheme, a private host, or a user name in the URL.
    """
    scheme = url.partition("://")[0].lower()
    if scheme in APPRISE_SCHEMES:
        return WebhookTarget(url, f"{scheme}://", is_apprise=True)
    if scheme not in ("http", "https"):
        allowed = ", ".join(f"{name}://" for name in ("https", *APPRISE_SCHEMES))
        raise ForbiddenTarget(f"the scheme {scheme[:20]!r} is not allowed; allowed are {allowed}")
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        raise ForbiddenTarget("not a URL") from None
    host = (split.hostname or "").rstrip(".")
    port = port or (443 if scheme == "https" else 80)
    _check_web_url(split, host, port, private)
    return WebhookTarget(url, f"{scheme}://{split.netloc}", is_apprise=False)


def _check_web_url(split: SplitResult, host: str, port: int, private: Collection[str]) -> None:
    if not host or not split.netloc.isascii() or any(char <= " " for char in split.geturl()):
        raise ForbiddenTarget("a host of ASCII characters is required, and no white space")
    if split.username is not None or split.password is not None:
        raise ForbiddenTarget("a user name or password is not allowed; the signature authenticates")
    check_target(host, port, private=private)
    if split.scheme.lower() != "https" and f"{host}:{port}" not in private:
        raise ForbiddenTarget("http is not allowed: give an https URL")
