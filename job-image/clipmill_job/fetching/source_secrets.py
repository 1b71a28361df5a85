"""Cookies and proxy of a fetch task: what the downloader gets, and what no text may show."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from clipmill.protocol.integrations.credential_models import FetchCredentials

HIDDEN = "***"
# Shorter values of cookies are flags and numbers, which occur in messages by chance.
MIN_SECRET_CHARS = 6
MIN_LOGIN_CHARS = 4


def request_fields(credentials: FetchCredentials) -> dict[str, object]:
    """Return the fields of the downloader's request that hold or describe secrets."""
    proxy = credentials.proxy.get_secret_value() if credentials.proxy else ""
    split = urlsplit(proxy)
    return {
        "cookies": credentials.cookies.get_secret_value() if credentials.cookies else "",
        # The proxy resolves names: this pod may not reach a name server that knows them.
        "proxy": re.sub("^socks5:", "socks5h:", proxy),
        "proxy_address": f"{split.hostname}:{split.port}" if proxy else "",
        "private_proxies": credentials.allowed_private_proxies,
    }


def hider(credentials: FetchCredentials) -> Callable[[str], str]:
    """Return a function that replaces each secret in a text by asterisks."""
    secrets = sorted(_secrets(credentials), key=len, reverse=True)

    def hide(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, HIDDEN)
        return text

    return hide


def _secrets(credentials: FetchCredentials) -> set[str]:
    texts: list[str | None] = []
    if credentials.proxy:
        proxy = credentials.proxy.get_secret_value()
        split = urlsplit(proxy)
        login = (split.username or "", split.password or "")
        texts += [proxy, split.netloc]
        texts += [text for text in (*login, *map(unquote, login)) if len(text) >= MIN_LOGIN_CHARS]
    if credentials.cookies:
        lines = credentials.cookies.get_secret_value().splitlines()
        values = [line.split("\t")[-1] for line in lines]
        texts += [value for value in values if len(value) >= MIN_SECRET_CHARS]
    return {text for text in texts if text}
