"""Decide which URLs and addresses may be fetched, and derive the key that identifies a clip."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection
from urllib.parse import SplitResult, parse_qs, parse_qsl, urlencode, urlsplit

_TWITCH = {"twitch.tv", "www.twitch.tv", "m.twitch.tv", "go.twitch.tv"}
_YOUTUBE = {"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com"}
# Hosts of short links, with the host that the clip is on.
_SHORT_HOSTS = {"youtu.be": "youtube.com"}
# Files of Discord messages. Their query is a signature that expires.
_DISCORD_FILES = {"cdn.discordapp.com", "media.discordapp.net"}
_TRACKING = re.compile(r"^(utm_.*|fbclid|gclid|igshid|si|feature|ref|ref_src)$")
_SLUG = re.compile(r"^[A-Za-z0-9_-]{1,120}$")
# A longer key is hashed, since an index entry of PostgreSQL holds at most 2704 bytes.
MAX_KEY_BYTES = 500
# Names that no public host has: of this machine, a cluster, a private network or a cloud.
_LOCAL_NAMES = (
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "svc",
    "home",
    "lan",
    "corp",
    "home.arpa",
    "onion",
)
# Dots of other scripts, which IDNA resolves as dots and NFKC leaves.
_DOTS = str.maketrans({"\u3002": ".", "\uff61": "."})


class ForbiddenURL(ValueError):
    """The URL may not be fetched. The message says why and what is allowed; a retry is useless."""


def _split(url: str) -> SplitResult:
    shown = url if len(url) <= 80 else url[:80] + "..."
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError as error:
        raise ForbiddenURL(f"{shown!r} is not a URL: {error}") from None
    if parts.scheme.lower() not in ("http", "https"):
        raise ForbiddenURL(f"{shown!r}: only http and https URLs are fetched")
    if not parts.hostname:
        raise ForbiddenURL(f"{shown!r} names no host")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenURL("a URL with a user name or password is not fetched")
    if re.search(r"[\s\x00-\x1f\\]", url.strip()):
        raise ForbiddenURL(f"{shown!r} holds white space, a control character or a backslash")
    return parts


def host_port(parts: SplitResult) -> str:
    """Return `host:port` in lower case, with the default port of the scheme if there is none."""
    port = parts.port or (443 if parts.scheme.lower() == "https" else 80)
    return f"{(parts.hostname or '').rstrip('.')}:{port}"


def host_port_of(url: str) -> str:
    """Return `host:port` of a URL.

    Raises:
        ForbiddenURL: The text is no http or https URL with a host.
    """
    return host_port(_split(url))


def check_url(
    url: str, *, hosts: Collection[str], any_host: bool = False, private: Collection[str] = ()
) -> None:
    """Check a URL before any name is resolved.

    Args:
        url: The URL of a clip.
        hosts: Allowed host names.
        any_host: Whether every public host name is allowed.
        private: Pairs of `host:port` that are allowed without further checks.

    Raises:
        ForbiddenURL: The URL may not be fetched.
    """
    parts = _split(url)
    endpoint = host_port(parts)
    if endpoint in private:
        return
    host = endpoint.rsplit(":", 1)[0]
    if is_address_or_local(host):
        raise ForbiddenURL(f"{host!r} is an address, not a name: give the host's name")
    if parts.port not in (None, 80, 443):
        raise ForbiddenURL(f"port {parts.port} of {host!r}: only ports 80 and 443 are allowed")
    if not any_host and host not in hosts:
        raise ForbiddenURL(f"host {host!r} is not allowed; allowed are {', '.join(sorted(hosts))}")


def is_address_or_local(host: str) -> bool:
    """Return whether a host is an IP address in any notation, or a name that is not public.

    Digits and dots of other scripts count as what a resolver reads them as.
    """
    name = unicodedata.normalize("NFKC", host.translate(_DOTS)).lower().strip(".")
    last = name.rsplit(".", 1)[-1]
    numeric = bool(re.fullmatch(r"0x[0-9a-f]*|[0-9]+", last))
    local = "." not in name or name.endswith(tuple(f".{suffix}" for suffix in _LOCAL_NAMES))
    return ":" in name or "%" in name or numeric or local


def clip_key(url: str) -> str:
    """Return the key that is equal for all URLs of one clip.

    Raises:
        ForbiddenURL: The URL is invalid, or is a Twitch URL without a clip.
    """
    parts = _split(url)
    host = (parts.hostname or "").lower().rstrip(".")
    path = [step for step in parts.path.split("/") if step]
    query = parse_qs(parts.query)
    if host in _TWITCH or host.endswith(".twitch.tv"):
        return _twitch_key(host, path, query, url)
    if host in _DISCORD_FILES and path[:1] == ["attachments"] and path[3:]:
        return f"discord:{path[1]}/{path[2]}/{path[3][:100]}"
    if host == "youtu.be" and path:
        return f"youtube:{path[0]}"
    if host in _YOUTUBE:
        video = query.get("v", [""])[0] or (
            path[1] if path[:1] in (["shorts"], ["live"]) and path[1:] else ""
        )
        if video:
            return f"youtube:{video}"
    return _url_key(parts, host)


def _twitch_key(host: str, path: list[str], query: dict[str, list[str]], url: str) -> str:
    slug = query.get("clip", [""])[0]
    if not slug and host == "clips.twitch.tv" and path and path[0] != "embed":
        slug = path[0]
    if not slug and "clip" in path[:-1]:
        slug = path[path.index("clip") + 1]
    if _SLUG.match(slug):
        return f"twitch:{slug}"
    if "videos" in path[:-1]:
        return f"twitch-vod:{path[path.index('videos') + 1]}"
    raise ForbiddenURL(f"{url[:80]!r} names no Twitch clip")


def _url_key(parts: SplitResult, host: str) -> str:
    """Return the URL without fragment and tracking parameters."""
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in parameters if not _TRACKING.match(name)]
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    query = f"?{urlencode(kept)}" if kept else ""
    key = f"{host}{port}{parts.path or '/'}{query}"
    if len(key.encode()) <= MAX_KEY_BYTES:
        return key
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def credential_host(url: str) -> str:
    """Return the host whose credentials a URL needs. Raise ForbiddenURL."""
    host = (_split(url).hostname or "").lower().rstrip(".")
    return _SHORT_HOSTS.get(host, host)


def is_within(host: str, domain: str) -> bool:
    """Return whether a host is a domain or one of its subdomains."""
    return host == domain or host.endswith(f".{domain}")
