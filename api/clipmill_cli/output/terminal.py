"""What a person sees: plan tables, live progress, a summary. Users' text never acts as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from clipmill.protocol import (
    ClipState,
    ClipStatus,
    CompilationView,
    OutputPlan,
    OutputResult,
    Plan,
    State,
    TimelineItem,
)

MAX_ROWS = 40
WIDTH_WITHOUT_TERMINAL = 110


def console(*, stderr: bool = False) -> Console:
    """Where to write; without a terminal the lines keep one width."""
    found = Console(stderr=stderr, highlight=False)
    if found.is_terminal:
        return found
    return Console(stderr=stderr, highlight=False, width=WIDTH_WITHOUT_TERMINAL)


def plain(text: object, limit: int = 200) -> Text:
    """Text of a user's or a site's: no markup, no control characters, not endless."""
    shown = "".join(c if c.isprintable() else " " for c in str(text))
    return Text(shown if len(shown) <= limit else shown[: limit - 1] + "\u2026")


def table(title: str, columns: Iterable[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table; columns named `>like this` are numbers and go to the right."""
    found = Table(title=plain(title), title_justify="left", title_style="bold", box=None)
    for column in columns:
        right = column.startswith(">")
        found.add_column(column.lstrip(">"), justify="right" if right else "left")
    for row in rows:
        found.add_row(*(cell if isinstance(cell, Text) else plain(cell, 90) for cell in row))
    return found


# --- the plan -------------------------------------------------------------------------------------


def show_plan(out: Console, plan: Plan) -> None:
    """Clips, then the timeline of each output, then the quota."""
    rows = [(i + 1, clip.name, _source(clip), _fate(clip)) for i, clip in enumerate(plan.clips)]
    out.print(_cut(table("Clips", (">#", "clip", "from", "what happens"), rows[:MAX_ROWS]), rows))
    for note in dict.fromkeys(clip.note for clip in plan.clips if clip.note):
        out.print(_aside("note:", note))
    for before, output in zip([None, *plan.outputs], plan.outputs, strict=False):
        _show_output(out, output, before)
    out.print(plain(_quota(plan)))


def _aside(word: str, text: str) -> Text:
    return Text.assemble((f"  {word} ", "yellow"), plain(text, 500))


def _source(clip: ClipStatus) -> str:
    return clip.url or clip.media_id or ""


def _fate(clip: ClipStatus) -> Text:
    if clip.state is ClipState.WAITING:
        return Text("fetch", "cyan")
    if clip.state is ClipState.SKIPPED:
        return Text.assemble(("skipped: ", "yellow"), plain(clip.reason))
    return Text("fetched before" if clip.url else "in the library", "green")


def _show_output(out: Console, output: OutputPlan, before: OutputPlan | None) -> None:
    form, about = output.profile, "" if output.exact else "about "
    title = (
        f"Output {output.name}: {form.width}x{form.height} at {form.rate}/s,"
        f" {about}{output.frames} frames, {about}{output.frames / form.rate:.2f} s"
    )
    if before and before.entries == output.entries:
        out.print(Text.assemble((plain(title).plain, "bold"), f", timeline as of {before.name}"))
    else:
        out.print(_timeline(title, output))
    if output.music:
        music = output.music
        until = music.at + music.frames
        out.print(plain(f"  music {music.media_id} from frame {music.at} to {until}"))
    for note in output.notes:
        out.print(_aside("note:", note))
    counts = output.segments
    if output.exact:
        new = counts.total - counts.reused
        out.print(f"  {counts.total} segments: {counts.reused} exist already, {new} to render")
    else:
        out.print("  lengths of clips not yet fetched are estimates")


def _timeline(title: str, output: OutputPlan) -> Table:
    rate = output.profile.rate
    rows = [
        (e.kind, e.name, e.at, e.start, e.frames, f"{e.frames / rate:.2f}", _entered(e))
        for e in output.entries
    ]
    columns = ("", "name", ">at", ">from", ">frames", ">seconds", "entered by")
    return _cut(table(title, columns, rows[:MAX_ROWS]), rows)


def _entered(entry: TimelineItem) -> str:
    return f"{entry.enters}, {entry.overlap} frames" if entry.overlap else ""


def _cut(shown: Table, rows: Sequence[object]) -> Table:
    if len(rows) > MAX_ROWS:
        shown.caption = f"and {len(rows) - MAX_ROWS} more: `clipmill plan -o json` has them all"
    return shown


def _quota(plan: Plan) -> str:
    quota = plan.quota
    if quota.limit_seconds is None:
        return f"Render time: {quota.estimated_seconds} s, of no limit"
    left = f"{quota.remaining_seconds} of {quota.limit_seconds} s are left this month"
    return f"Render time: {quota.estimated_seconds} s; {left}"


# --- live -----------------------------------------------------------------------------------------


def stage_text(view: CompilationView) -> str:
    """Where a compilation stands, in a few words."""
    skipped = sum(clip.state is ClipState.SKIPPED for clip in view.clips)
    aside = f", {skipped} skipped" if skipped else ""
    if view.state in (State.PENDING, State.FETCHING):
        ready = sum(clip.state is ClipState.READY for clip in view.clips)
        return f"fetching: {ready} of {len(view.clips)} clips here{aside}"
    if view.state is State.RENDERING:
        return f"rendering{aside}"
    return f"{view.state.lower()}{aside}"


def eta_text(view: CompilationView) -> str:
    """`, until about 02:31:10 UTC` while that can be told."""
    return f", until about {view.eta[11:19]} UTC" if view.eta else ""


BAR_CELLS = 24
_REST = Column(ratio=1, no_wrap=True, overflow="ellipsis")


class Live:
    """Progress on stderr: bars on a terminal, else a line at each change of stage."""

    def __init__(self, err: Console) -> None:
        self._err = err
        self._said = ""
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=BAR_CELLS),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[stage]}", markup=False, table_column=_REST),
            console=err,
            expand=True,
            disable=not err.is_terminal,
            transient=True,
        )
        self._clips = self._bars.add_task("clips", total=None, stage="")
        self._whole = self._bars.add_task("whole", total=100, stage="")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def __call__(self, view: CompilationView) -> None:
        """Show where the compilation stands."""
        settled = sum(clip.state is not ClipState.WAITING for clip in view.clips)
        last = plain(view.log[-1], 60).plain if view.log else ""
        self._bars.update(self._clips, completed=settled, total=len(view.clips))
        self._bars.update(self._clips, stage=f"{settled}/{len(view.clips)}")
        said = stage_text(view)
        shown = f"{said}{eta_text(view)}  {last}"
        self._bars.update(self._whole, completed=view.percent, stage=shown)
        if not self._err.is_terminal and said != self._said:
            self._err.print(plain(said))
        self._said = said


# --- the end --------------------------------------------------------------------------------------


def show_end(out: Console, view: CompilationView) -> None:
    """How it ended, each skipped clip with its reason, and the outputs."""
    styles = {State.SUCCEEDED: "yellow" if view.degraded else "green"}
    word = "complete, but degraded" if view.degraded else "complete"
    said = word if view.state is State.SUCCEEDED else view.state.lower()
    out.print(Text(f"{view.name}: {said}", f"bold {styles.get(view.state, 'red')}"))
    if view.message:
        out.print(Text("  ") + plain(f"{view.reason}: {view.message}", 500))
    for clip in view.clips:
        if clip.state is ClipState.SKIPPED:
            out.print(_aside("skipped", f"{clip.name}: {clip.reason}: {clip.message}"))
    for output in view.outputs:
        out.print(plain(f"  {_result(output)}"))


def _result(output: OutputResult) -> str:
    counts = output.segments
    size = f"{output.size_bytes / 1e6:.1f} MB"
    loud = "" if output.loudness_lufs is None else f", {output.loudness_lufs:.1f} LUFS"
    return (
        f"{output.name}: {output.frames} frames, {output.duration_us / 1e6:.2f} s, {size}{loud};"
        f" {counts.total} segments, {counts.reused} reused, {counts.rendered} rendered"
    )
