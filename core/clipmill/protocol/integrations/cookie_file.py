"""Check Netscape cookie files: one host, and the seven fields of each line. Pure."""

from __future__ import annotations

import re

from clipmill.spec.source_urls import is_within

HEADER = "# Netscape HTTP Cookie File\n"
HTTP_ONLY = "#HttpOnly_"
FIELDS = "domain, subdomains, path, secure, expiry, name, value"
FLAGS = ("TRUE", "FALSE")


def checked_cookies(text: str, host: str) -> str:
    """Return a cookie file with its header and without comments.

    Raises:
        ValueError: A line is malformed, or is for another host. The message has the line's number
            and the host, and never the name or the value of a cookie.
    """
    lines = [
        _checked_line(line, number, host)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and (not line.startswith("#") or line.startswith(HTTP_ONLY))
    ]
    if not lines:
        raise ValueError(f"cookies: the file has no cookie; export those of {host!r}")
    return HEADER + "".join(f"{line}\n" for line in lines)


def _checked_line(line: str, number: int, host: str) -> str:
    place = f"cookies: line {number}"
    fields = line.split("\t")
    if len(fields) != 7:
        raise ValueError(f"{place} has {len(fields)} fields instead of 7 with tabs: {FIELDS}")
    domain, subdomains, _, secure, expiry, name, _ = fields
    if subdomains not in FLAGS or secure not in FLAGS:
        raise ValueError(f"{place}: the 2nd and the 4th field must be TRUE or FALSE")
    if not re.fullmatch(r"([0-9]{1,15}(\.[0-9]+)?)?", expiry):
        raise ValueError(f"{place}: the 5th field must be a Unix time, or 0")
    if not name or not re.fullmatch(r"[^\x00-\x08\x0a-\x1f\x7f]*", line):
        raise ValueError(f"{place}: a cookie has no name, or control characters")
    _refuse_other_host(domain.removeprefix(HTTP_ONLY).removeprefix(".").lower(), place, host)
    return line


def _refuse_other_host(domain: str, place: str, host: str) -> None:
    if is_within(domain, host):
        return
    shown = domain[:80] if re.fullmatch(r"[a-z0-9.-]{1,253}", domain) else "?"
    raise ValueError(
        f"{place} is for {shown!r}, but the credential is for {host!r}: a file holds the cookies of"
        " one host; export them again for this host alone"
    )
