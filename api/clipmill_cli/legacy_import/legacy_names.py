"""Names and texts that are valid here, made of those of the predecessor."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from clipmill.spec.base import MAX_TITLE_CHARS

MAX_NAME_CHARS = 63


def slug(text: str, fallback: str) -> str:
    """Return lower-case letters, digits and dashes of a text; `fallback` if none are left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_NAME_CHARS].strip("-") or fallback


def distinct(name: str, legacy_id: int, used: Collection[str]) -> str:
    """Return a name; with its primary key if the name is in use."""
    if name not in used:
        return name
    suffix = f"-{legacy_id}"
    return name[: MAX_NAME_CHARS - len(suffix)].rstrip("-") + suffix


def one_line(text: object, max_chars: int = MAX_TITLE_CHARS) -> str:
    """Return a text without control characters, cut; empty for None."""
    plain = "".join(char if char.isprintable() else " " for char in str(text or ""))
    return " ".join(plain.split())[:max_chars].strip()
