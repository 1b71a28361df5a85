"""The age of yt-dlp in the message about an extractor's failure."""

from __future__ import annotations

from datetime import date

import pytest
from yt_dlp.utils import ExtractorError
from yt_dlp.version import __version__

from clipmill_job.fetching.downloader import describe_error
from clipmill_job.fetching.egress_guard import EgressGuard
from clipmill_job.fetching.ytdlp_age import ytdlp_age

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("version", "days"),
    [("2026.07.04", 146), ("2026.10.28", 30), ("2026.11.01.232800", None), ("unknown", None)],
)
def test_an_old_version_is_named_with_its_age(version: str, days: int | None) -> None:
    """From 30 days on."""
    note = ytdlp_age(version, TODAY)
    assert version in note
    assert (f"{days} days" in note) == (days is not None)


def test_an_extractors_failure_names_the_version() -> None:
    """Not a failure that the extractor expects, such as a private video."""
    guard = EgressGuard(frozenset())
    broken = describe_error(ExtractorError("no title"), guard)
    private = describe_error(ExtractorError("private video", expected=True), guard)
    assert __version__ in broken["message"]
    assert (broken["code"], private["code"]) == ("SourceFailed", "SourceRefused")
    assert __version__ not in private["message"]
