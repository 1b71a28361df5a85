"""Summarise the reasons of skipped tests in one line. A reason says how to enable its tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def last_line(reasons: Sequence[str]) -> str:
    """Return `3 tests were skipped here: no cluster: ./run cluster up (2); no browser: ... (1)`."""
    if not reasons:
        return "Nothing was skipped: all of these tests ran here."
    counts = Counter(" ".join(reason.removeprefix("Skipped: ").split()) for reason in reasons)
    each = "; ".join(f"{reason} ({count})" for reason, count in counts.most_common())
    word = "test was" if len(reasons) == 1 else "tests were"
    return f"{len(reasons)} {word} skipped here: {each}"
