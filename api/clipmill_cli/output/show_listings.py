"""Shows and episodes as tables: schedules, episodes, and what an episode considered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console

from clipmill.shows.show_messages import ConsideredClip, EpisodeReport, EpisodeView, ShowView
from clipmill_cli.output.terminal import plain, table


def show_shows(out: Console, shows: Sequence[ShowView]) -> None:
    """Print one row for each show."""
    rows = [
        (
            *(show.name, show.spec.schedule, show.spec.time_zone, _minute(show.next_at)),
            *(_episode_text(show.last_episode), _ready_text(show)),
        )
        for show in shows
    ]
    columns = ("name", "schedule", "zone", "next (UTC)", "last episode", "state")
    out.print(table("Shows", columns, rows))


def show_show(out: Console, show: ShowView) -> None:
    """Print one show: its schedule, state and newest episode."""
    out.print(plain(f"{show.id}  {show.name}  owner {show.owner}  generation {show.generation}"))
    out.print(plain(f"  schedule: {show.spec.schedule} ({show.spec.time_zone})"))
    out.print(
        plain(f"  state: {_ready_text(show)}{f': {show.message}' if show.message else ''}", 500)
    )
    out.print(
        plain(f"  next: {_minute(show.next_at) or 'none'}, last: {_minute(show.last_at) or 'none'}")
    )
    out.print(plain(f"  sources: {', '.join(source.kind for source in show.spec.sources)}"))
    if show.last_episode:
        show_episodes(out, [show.last_episode])


def show_episodes(out: Console, episodes: Sequence[EpisodeView]) -> None:
    """Print one row for each episode."""
    rows = [
        (
            *(episode.name, _minute(episode.scheduled_at), episode.state, _clips_text(episode)),
            *(episode.compilation_id or "", _reason_text(episode)),
        )
        for episode in episodes
    ]
    columns = ("name", "scheduled (UTC)", "state", ">clips", "compilation", "reason")
    out.print(table("Episodes", columns, rows))


def show_report(out: Console, report: EpisodeReport, *, every: bool) -> None:
    """Print what an episode takes, and why it does not take the rest.

    Args:
        out: Where to print.
        report: The episode.
        every: Whether to print a row for each candidate that is not taken, not only counts.
    """
    taken = [clip for clip in report.candidates if not clip.reason]
    rest = [clip for clip in report.candidates if clip.reason]
    out.print(table("Taken", _COLUMNS[:-1], [_clip_row(clip)[:-1] for clip in taken]))
    if every:
        out.print(table("Not taken", _COLUMNS, [_clip_row(clip) for clip in rest]))
    else:
        counts = Counter(clip.reason for clip in rest).most_common()
        out.print(table("Not taken", ("reason", ">clips"), [(r, str(n)) for r, n in counts]))
    for source in report.sources:
        outcome = f"{source.reason}: {source.message}" if source.reason else "read"
        line = f"  sources[{source.source}]: {source.returned} clips, {outcome}"
        out.print(plain(line, 500))
    out.print(plain(f"  {report.taken} of {report.considered} clips{_ended_text(report)}", 500))


_COLUMNS = ("clip", "title", "creator", ">views", ">length", "created (UTC)", "reason")


def _clip_row(clip: ConsideredClip) -> tuple[str, ...]:
    length = f"{clip.duration_ms / 1000:.1f} s" if clip.duration_ms is not None else ""
    return (
        *(
            clip.url or clip.media_id or "",
            clip.title or "",
            clip.broadcaster or clip.creator or "",
        ),
        *("" if clip.views is None else str(clip.views), length, _minute(clip.created_at)),
        clip.reason,
    )


def _ended_text(report: EpisodeReport) -> str:
    return f"; {report.reason}: {report.message}" if report.message else ""


def _ready_text(show: ShowView) -> str:
    if not show.ready:
        return show.reason or "NotReady"
    return "suspended" if show.spec.suspend else "ready"


def _episode_text(episode: EpisodeView | None) -> str:
    return f"{episode.name} {_reason_text(episode) or episode.state}" if episode else ""


def _reason_text(episode: EpisodeView) -> str:
    return episode.reason


def _clips_text(episode: EpisodeView) -> str:
    return f"{episode.taken}/{episode.considered}" if episode.considered else ""


def _minute(time: datetime | None) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}" if time else ""
