"""Credentials without an API: cookie files, proxies, and texts that show no secret."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from clipmill.protocol.integrations.cookie_file import HEADER, checked_cookies
from clipmill.protocol.integrations.credential_models import CREDENTIAL, hosts_of
from clipmill.spec.source_urls import credential_host, is_within
from clipmill.spec.target_addresses import ForbiddenTarget, check_target

SECRET = "canary-4711"
GOOD = f".youtube.com\tTRUE\t/\tTRUE\t1999999999\tSID\t{SECRET}"
OTHER = f".google.com\tTRUE\t/\tTRUE\t0\tSID\t{SECRET}"


def test_a_cookie_file_of_one_host_is_kept() -> None:
    """With its header, also without one in the file; comments go, HttpOnly lines stay."""
    only = f"#HttpOnly_www.youtube.com\tFALSE\t/\tTRUE\t0\tLOGIN\t{SECRET}"
    text = f"# Netscape HTTP Cookie File\n# a comment\n\n{GOOD}\r\n{only}\n"
    assert checked_cookies(text, "youtube.com") == f"{HEADER}{GOOD}\n{only}\n"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (f"{GOOD}\n{OTHER}", "line 2 is for 'google.com'"),
        (GOOD.replace("youtube.com", "notyoutube.com"), "'notyoutube.com'"),
        (GOOD.replace("youtube.com", "com"), "'com'"),
        (GOOD.replace("\t", " "), "line 1 has 1 fields"),
        (GOOD.replace("TRUE", "yes"), "line 1: the 2nd"),
        (GOOD.replace("1999999999", "soon"), "line 1: the 5th"),
        (GOOD.replace("SID", ""), "line 1: a cookie has no name"),
        ("", "no cookie"),
        (HEADER, "no cookie"),
        (f'[{{"name": "SID", "value": "{SECRET}"}}]', "line 1 has 1 fields"),
    ],
)
def test_other_cookie_files_are_refused(text: str, part: str) -> None:
    """By line and host; the message has neither name nor value of a cookie."""
    with pytest.raises(ValueError) as refused:
        checked_cookies(text, "youtube.com")
    assert part in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "proxy", "url": f"http://u:{SECRET}@p.example.org", "hosts": ["a.org"]},
        {"kind": "proxy", "url": f"ftp://u:{SECRET}@p.example.org:21", "hosts": ["a.org"]},
        {"kind": "proxy", "url": f"http://u:{SECRET}@p.example.org:0x1", "hosts": ["a.org"]},
        {"kind": "proxy", "url": f"http://u:{SECRET}@p.example.org:80/path", "hosts": ["a.org"]},
        {"kind": "proxy", "url": f"http://u:{SECRET}@[p]:80", "hosts": ["a.org"]},
        {"kind": "proxy", "url": f"http://u:{SECRET} @p.example.org:80", "hosts": ["a.org"]},
        {"kind": "proxy", "url": f"http://u:{SECRET}@p.example.org:80", "hosts": []},
        {"kind": "discord", "botToken": f"{SECRET} "},
        {"kind": "twitch", "clientId": "a-b", "clientSecret": SECRET},
        {"kind": "twitch", "clientId": "ab", "clientSecret": f"{SECRET}\n"},
        {"kind": "cookies", "host": "youtube.com", "cookies": OTHER},
    ],
)
def test_malformed_credentials_are_refused(fields: dict[str, object]) -> None:
    """The texts of the rules show no secret."""
    with pytest.raises(ValidationError) as refused:
        CREDENTIAL.validate_python(fields)
    assert SECRET not in " ".join(error["msg"] for error in refused.value.errors())


@pytest.mark.parametrize(
    ("fields", "hosts"),
    [
        ({"kind": "twitch", "clientId": "ab", "clientSecret": SECRET, "userToken": SECRET}, []),
        ({"kind": "discord", "botToken": SECRET}, []),
        ({"kind": "cookies", "host": "youtube.com", "cookies": GOOD}, ["youtube.com"]),
        (
            {"kind": "proxy", "url": f"socks5://u:{SECRET}@[::1]:1080", "hosts": ["a.org"]},
            ["a.org"],
        ),
    ],
)
def test_texts_of_a_credential_show_no_secret(fields: dict[str, object], hosts: list[str]) -> None:
    """Only its JSON does, which goes to the API."""
    credential = CREDENTIAL.validate_python(fields)
    assert hosts_of(credential) == hosts
    assert SECRET not in f"{credential!r} {credential} {credential.model_dump()}"
    assert SECRET in credential.model_dump_json()


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("127.0.0.1", 3128),
        ("10.0.0.1", 3128),
        ("::1", 3128),
        ("::ffff:10.0.0.1", 3128),
        ("169.254.169.254", 80),
        ("0x7f.1", 3128),
        ("2130706433", 3128),
        ("localhost", 3128),
        ("proxy", 3128),
        ("proxy.svc", 3128),
        ("db.internal", 3128),
        ("proxy.example.org", 25),
        ("8.8.8.8", 22),
    ],
)
def test_private_targets_are_refused(host: str, port: int) -> None:
    """Names of a cluster, addresses in any notation, and ports of other services."""
    with pytest.raises(ForbiddenTarget):
        check_target(host, port)
    check_target(host, port, private=(f"{host}:{port}",))


@pytest.mark.parametrize(
    ("host", "port"),
    [("proxy.example.org", 3128), ("8.8.8.8", 443), ("2606:4700::1111", 80), ("a.org", 65535)],
)
def test_public_targets_are_allowed(host: str, port: int) -> None:
    """Names and addresses, at 80, 443 and ports from 1024 on."""
    check_target(host, port)


@pytest.mark.parametrize(
    ("url", "domain", "matches"),
    [
        ("https://www.youtube.com/watch?v=1", "youtube.com", True),
        ("https://youtu.be/1", "youtube.com", True),
        ("https://clips.twitch.tv/X", "twitch.tv", True),
        ("https://notyoutube.com/1", "youtube.com", False),
        ("https://youtube.com.example.org/1", "youtube.com", False),
        ("https://youtube.com/1", "www.youtube.com", False),
    ],
)
def test_the_host_of_a_url_is_within_a_domain(url: str, domain: str, matches: bool) -> None:
    """Subdomains count, other names with the same end do not."""
    assert is_within(credential_host(url), domain) is matches
