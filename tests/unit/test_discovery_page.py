"""docs/discovery.md names every reason that a source is reported with."""

from __future__ import annotations

import re
from pathlib import Path

from clipmill.shows.candidates import EMPTY_RESULT

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/discovery.md").read_text()
ROOM = ROOT / "job-image/clipmill_job/discovering"
# Reasons are literals of two or more words.
REASON = re.compile(r'"((?:[A-Z][a-z]+|A(?=F)|URL){2,})"')


def test_the_page_names_every_reason() -> None:
    """And no reason that the code does not have."""
    code = "".join(path.read_text() for path in ROOM.glob("*.py"))
    of_code = set(REASON.findall(code))
    table = PAGE.partition("## Reports")[2]
    of_page = set(re.findall(r"`([A-Z][A-Za-z]+)`", table))
    # The errors of yt-dlp have the codes of a fetch.
    assert of_page - of_code - {EMPTY_RESULT} == {"SourceRefused", "UnsupportedURL"}
    assert of_code - of_page == set()
