"""The age of the installed yt-dlp: its extractors go out of date within weeks."""

from __future__ import annotations

from datetime import date

OUTDATED_DAYS = 30


def ytdlp_age(version: str, today: date) -> str:
    """Return a note such as `yt-dlp 2026.07.04 is 146 days old: ...` for an extractor's failure.

    Args:
        version: Version of yt-dlp, which is its release date, `YYYY.MM.DD` with an optional rest.
    """
    try:
        released = date(*(int(number) for number in version.split(".")[:3]))
    except (TypeError, ValueError):
        return f"yt-dlp {version}"
    days = (today - released).days
    if days < OUTDATED_DAYS:
        return f"yt-dlp {version}"
    return f"yt-dlp {version} is {days} days old: use a job image with a newer one"
