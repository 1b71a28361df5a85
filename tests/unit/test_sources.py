"""Clip keys and URLs: which URLs are the same clip, and which are never fetched."""

import pytest

from clipmill.network_ranges import is_public
from clipmill.spec.source_urls import ForbiddenURL, check_url, clip_key

KEYS = [
    ("https://clips.twitch.tv/AbC-d_1?x=1", "twitch:AbC-d_1"),
    ("https://www.twitch.tv/foo/clip/AbC-d_1/", "twitch:AbC-d_1"),
    ("https://m.twitch.tv/clip/AbC-d_1", "twitch:AbC-d_1"),
    ("https://m.twitch.tv/foo/clip/AbC-d_1#t=3", "twitch:AbC-d_1"),
    ("https://twitch.tv/clip/AbC-d_1", "twitch:AbC-d_1"),
    ("https://clips.twitch.tv/AbC-d_1/edit", "twitch:AbC-d_1"),
    ("https://clips.twitch.tv/embed?clip=AbC-d_1&parent=p", "twitch:AbC-d_1"),
    ("https://player.twitch.tv/?clip=AbC-d_1", "twitch:AbC-d_1"),
    ("https://www.twitch.tv/videos/123", "twitch-vod:123"),
    ("https://www.youtube.com/watch?v=1", "youtube:1"),
    ("https://www.youtube.com/watch?v=2&utm_source=x", "youtube:2"),
    ("https://youtu.be/2?si=abc", "youtube:2"),
    ("https://example.org/a.mp4?utm_source=x&k=1#f", "example.org/a.mp4?k=1"),
    ("https://cdn.discordapp.com/attachments/11/22/a.mp4?ex=1&is=2&hm=3", "discord:11/22/a.mp4"),
    ("https://media.discordapp.net/attachments/11/22/a.mp4?ex=9", "discord:11/22/a.mp4"),
    ("https://cdn.discordapp.com/emojis/11.webp", "cdn.discordapp.com/emojis/11.webp"),
]


@pytest.mark.parametrize(("url", "key"), KEYS)
def test_key(url: str, key: str) -> None:
    """All URLs of a clip give the same key."""
    assert clip_key(url) == key


@pytest.mark.parametrize(
    "url", ["https://clips.twitch.tv/", "javascript:alert(1)", "file:///etc/x", "http://"]
)
def test_no_key(url: str) -> None:
    """A URL without a clip is refused."""
    with pytest.raises(ForbiddenURL):
        clip_key(url)


REFUSED = [
    "javascript:alert(1)",
    "file:///etc/passwd",
    "http://10.0.0.1/?twitch.tv",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1]/",
    "http://localhost/",
    "http://twitch.tv.evil.example/",
    "http://user:pw@twitch.tv/clip/x",
    "http://twitch.tv:8080/clip/x",
    "http://twitch.tv\\@evil.example/",
]


@pytest.mark.parametrize("url", REFUSED)
def test_refused(url: str) -> None:
    """Hosts are matched exactly; addresses in any notation are refused."""
    with pytest.raises(ForbiddenURL):
        check_url(url, hosts={"twitch.tv"})


def test_private_by_setting() -> None:
    """A setting allows exactly one host and port."""
    check_url("http://127.0.0.1:81/a.mp4", hosts=set(), private={"127.0.0.1:81"})
    with pytest.raises(ForbiddenURL):
        check_url("http://127.0.0.1:82/a.mp4", hosts=set(), private={"127.0.0.1:81"})


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "fd00::1", "fe80::1%eth0",
     "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "224.0.0.1", "0.0.0.0"],
)  # fmt: skip
def test_not_public(address: str) -> None:
    """Private, local and shared addresses are not public, also if embedded in IPv6."""
    assert not is_public(address)


def test_public() -> None:
    """Other addresses are public."""
    assert is_public("8.8.8.8")
    assert is_public("2606:4700::1111")
