"""The plan of a compilation as tables: clips, the timeline of each output, quota."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clipmill.protocol import ClipState, ClipStatus, OutputPlan, Plan, TimelineItem
from clipmill_cli.output.terminal import labelled, plain, table

MAX_ROWS = 40
CLIP_COLUMNS = (">#", "clip", "source", "status")
TIMELINE_COLUMNS = ("item", "name", ">at frame", ">from", ">frames", ">seconds", "transition")


def show_plan(out: Console, plan: Plan) -> None:
    """Print clips, then the timeline of each output, then the quota."""
    rows = [
        (number, clip.name, clip.url or clip.media_id or "title card", _clip_status(clip))
        for number, clip in enumerate(plan.clips, 1)
    ]
    out.print(_limited("Clips", CLIP_COLUMNS, rows))
    for note in dict.fromkeys(clip.note for clip in plan.clips if clip.note):
        out.print(labelled("note:", note))
    for previous, output in zip([None, *plan.outputs], plan.outputs, strict=False):
        _show_output(out, output, previous)
    out.print(plain(_quota_text(plan)))


def _clip_status(clip: ClipStatus) -> Text:
    if clip.state is ClipState.WAITING:
        return Text("to be fetched", "cyan")
    if clip.state is ClipState.SKIPPED:
        return Text.assemble(("skipped: ", "yellow"), plain(clip.reason))
    if clip.url:
        return Text("already fetched", "green")
    return Text("in the library" if clip.media_id else "generated", "green")


def _show_output(out: Console, output: OutputPlan, previous: OutputPlan | None) -> None:
    title = _title(output)
    if previous and previous.items == output.items:
        out.print(Text.assemble((plain(title).plain, "bold"), f"; timeline: see {previous.name}"))
    else:
        out.print(_timeline(title, output))
    if output.music:
        music = output.music
        until = music.at + music.frames
        out.print(plain(f"  music: {music.media_id}, frames {music.at} to {until}"))
    for note in output.notes:
        out.print(labelled("note:", note))
    out.print(plain(f"  {_segments_text(output)}"))


def _title(output: OutputPlan) -> str:
    profile, about = output.profile, "" if output.exact else "about "
    seconds = output.frames / profile.rate
    return (
        f"Output {output.name}: {profile.width}x{profile.height}, {profile.rate} frames/s,"
        f" {about}{output.frames} frames ({seconds:.2f} s)"
    )


def _segments_text(output: OutputPlan) -> str:
    if not output.exact:
        return "the lengths of clips that are not fetched yet are estimates"
    counts = output.segments
    new = counts.total - counts.reused
    return f"{counts.total} segments: {counts.reused} to be reused, {new} to be rendered"


def _timeline(title: str, output: OutputPlan) -> Table:
    rate = output.profile.rate
    rows = [
        (
            *(item.kind, item.name, item.at, item.start, item.frames),
            *(f"{item.frames / rate:.2f}", _transition_text(item)),
        )
        for item in output.items
    ]
    return _limited(title, TIMELINE_COLUMNS, rows)


def _transition_text(item: TimelineItem) -> str:
    return f"{item.transition}, {item.overlap} frames" if item.overlap else ""


def _limited(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Return a table of the first MAX_ROWS rows, with a caption that counts the rest."""
    limited = table(title, columns, rows[:MAX_ROWS])
    if len(rows) > MAX_ROWS:
        limited.caption = f"and {len(rows) - MAX_ROWS} more: `clipmill plan -o json` lists all"
    return limited


def _quota_text(plan: Plan) -> str:
    quota = plan.quota
    if quota.limit_seconds is None:
        return f"Render time: {quota.estimated_seconds} s (unlimited)"
    left = f"{quota.remaining_seconds} of {quota.limit_seconds} s left this month"
    return f"Render time: {quota.estimated_seconds} s ({left})"
