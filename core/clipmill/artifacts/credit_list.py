"""List the works that a result uses, for programs and as text for a description."""

from __future__ import annotations

from clipmill.artifacts.plain_text import single_line
from clipmill.protocol.result_record import CreditEntry, ResultRecord


def credits_of(record: ResultRecord) -> list[CreditEntry]:
    """Return each clip once, in the order of first appearance, then the music."""
    entries: dict[tuple[str | None, ...], CreditEntry] = {}
    for item in record.items:
        if item.kind != "clip" or not item.sha256:
            continue
        entry = CreditEntry(
            kind="clip",
            title=item.title or item.name,
            by=item.creator,
            about=item.game,
            url=item.url,
        )
        entries.setdefault((item.sha256, entry.by, entry.about, entry.url), entry)
    return [*entries.values(), *_music_credits(record)]


def _music_credits(record: ResultRecord) -> list[CreditEntry]:
    track = record.music
    if track is None:
        return []
    return [
        CreditEntry(
            kind="music",
            title=track.title or track.media_id,
            by=track.artist,
            about=track.license,
            url=track.url,
        )
    ]


def credits_text(record: ResultRecord) -> str:
    """Return the credits as text: title, numbered clips and the music, each with its link."""
    entries = credits_of(record)
    clips = [entry for entry in entries if entry.kind == "clip"]
    lines = [single_line(record.title), ""] if record.title else []
    for number, entry in enumerate(clips, 1):
        lines += _entry_lines(f"{number}. ", entry)
    for entry in entries[len(clips) :]:
        lines += ["", *_entry_lines("Music: ", entry)]
    return "\n".join(lines) + "\n"


def _entry_lines(prefix: str, entry: CreditEntry) -> list[str]:
    by = f" by {single_line(entry.by)}" if entry.by else ""
    about = f" ({single_line(entry.about)})" if entry.about else ""
    link = [f"   {single_line(entry.url)}"] if entry.url else []
    return [f"{prefix}{single_line(entry.title)}{by}{about}", *link]
