"""Whose work a result uses: a list for programs, and as text with links for a description."""

from __future__ import annotations

from clipmill.protocol.result_record import CreditEntry, ResultRecord, one_line


def credits_of(record: ResultRecord) -> list[CreditEntry]:
    """Each clip once, in the order of its first appearance, then the music."""
    found: dict[tuple[str | None, ...], CreditEntry] = {}
    for shot in record.items:
        if shot.kind != "clip" or not shot.sha256:
            continue
        credit = CreditEntry(
            kind="clip",
            title=shot.title or shot.name,
            by=shot.creator,
            about=shot.game,
            url=shot.url,
        )
        found.setdefault((shot.sha256, credit.by, credit.about, credit.url), credit)
    return [*found.values(), *_music(record)]


def _music(record: ResultRecord) -> list[CreditEntry]:
    track = record.music
    if track is None:
        return []
    title = track.title or track.media_id
    return [
        CreditEntry(kind="music", title=title, by=track.artist, about=track.license, url=track.url)
    ]


def credits_text(record: ResultRecord) -> str:
    """The credits as people read them: numbered clips, the music, each with its link."""
    found = credits_of(record)
    clips = [credit for credit in found if credit.kind == "clip"]
    lines = [one_line(record.title), ""] if record.title else []
    for number, credit in enumerate(clips, 1):
        lines += _lines(f"{number}. ", credit)
    for credit in found[len(clips) :]:
        lines += ["", *_lines("Music: ", credit)]
    return "\n".join(lines) + "\n"


def _lines(start: str, credit: CreditEntry) -> list[str]:
    by = f" by {one_line(credit.by)}" if credit.by else ""
    about = f" ({one_line(credit.about)})" if credit.about else ""
    link = [f"   {one_line(credit.url)}"] if credit.url else []
    return [f"{start}{one_line(credit.title)}{by}{about}", *link]
