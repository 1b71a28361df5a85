"""The keyring: what opens where, and which settings are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipmill_api.credentials.keyring import (
    DamagedSecret,
    Keyring,
    Sealed,
    UnknownKey,
    new_keyring_text,
)
from clipmill_api.errors import StartRefused

FIRST = new_keyring_text()
SECOND = new_keyring_text().replace("k1:", "k2:")
CONTEXT = ("credential", "ada", "bot", "discord", [])


def test_a_value_opens_in_its_context_only() -> None:
    """Not for another owner, name, kind or host, and not with a changed byte or key id."""
    keyring = Keyring.parse(f"{FIRST},{SECOND}")
    sealed = keyring.seal("value", CONTEXT)
    assert keyring.open(sealed, CONTEXT) == "value"
    for position, other in enumerate(("webhook", "bob", "tob", "twitch", ["a.org"])):
        context = (*CONTEXT[:position], other, *CONTEXT[position + 1 :])
        with pytest.raises(DamagedSecret):
            keyring.open(sealed, context)
    changed = bytearray(sealed.content)
    changed[-1] ^= 1
    for broken in (Sealed("k1", bytes(changed)), Sealed("k2", sealed.content), Sealed("k1", b"")):
        with pytest.raises(DamagedSecret):
            keyring.open(broken, CONTEXT)


def test_no_two_ciphertexts_are_equal() -> None:
    """Each has a nonce of its own, and does not contain the value."""
    keyring = Keyring.parse(FIRST)
    contents = {keyring.seal("value", CONTEXT).content for _ in range(100)}
    assert len(contents) == 100
    assert not any(b"value" in content for content in contents)


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    """A removed key is named by its id."""
    sealed = Keyring.parse(FIRST).seal("value", CONTEXT)
    both = Keyring.parse(f"{SECOND}\n{FIRST}")
    assert (both.current, both.open(sealed, CONTEXT)) == ("k2", "value")
    with pytest.raises(UnknownKey, match="k1"):
        Keyring.parse(SECOND).open(sealed, CONTEXT)


@pytest.mark.parametrize(
    "text",
    [
        "k1",
        FIRST[:-1],
        f"{FIRST}x",
        f"{FIRST},{FIRST}",
        FIRST.replace("k1", "K 1"),
        f"k1:{'A' * 43}",
    ],
    # Not the keys, which are new in each process.
    ids=["no key", "too short", "too long", "the same id twice", "another id", "no random bits"],
)
def test_invalid_settings_are_refused_without_showing_a_key(text: str) -> None:
    """Too short, too long, twice the same id, an id with other characters, no random bits."""
    with pytest.raises(StartRefused) as refused:
        Keyring.load(text, None)
    assert FIRST[3:20] not in str(refused.value)


def test_keys_are_read_from_a_file(tmp_path: Path) -> None:
    """A missing file is refused; without a setting there are no keys."""
    file = tmp_path / "keys"
    with pytest.raises(StartRefused, match="CLIPMILL_CREDENTIAL_KEYS_FILE"):
        Keyring.load("", file)
    file.write_text(f"{FIRST}\n")
    assert Keyring.load("", file).current == "k1"
    assert not Keyring.load("", None)
    assert FIRST[3:] not in repr(Keyring.load("", file))
