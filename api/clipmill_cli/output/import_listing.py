"""The report of an import from the predecessor as text."""

from __future__ import annotations

from rich.console import Console

from clipmill_cli.legacy_import.import_report import ImportAction, ImportItem, ImportReport
from clipmill_cli.output import terminal

MAX_CHARS = 600
DRY_RUN = "Dry run: nothing is written. Add --apply to import."


def show_import(out: Console, report: ImportReport) -> None:
    """Print each row that is created, skipped or not the same here, then the sums."""
    lines = [line for item in report.items for line in _item_lines(item)]
    lines += ["", *_sum_lines(report)]
    lines += [
        f"not imported: {table.rows} rows of {table.table}: {table.reason}"
        for table in report.omitted_tables
    ]
    lines += ["", DRY_RUN] if report.dry_run else []
    for line in lines:
        terminal.print_line(out, line, MAX_CHARS)


def _item_lines(item: ImportItem) -> list[str]:
    if item.action is ImportAction.KEEP and not item.notes:
        return []
    number = "" if item.legacy_id is None else f" ({item.kind} {item.legacy_id})"
    reason = f": {item.reason}" if item.reason else ""
    head = f"{item.action.lower():6} {item.kind:7} {item.name}{number}{reason}"
    return [head, *(f"       note: {note}" for note in item.notes)]


def _sum_lines(report: ImportReport) -> list[str]:
    counts = report.counts()
    kinds = dict.fromkeys(item.kind for item in report.items)
    return [
        f"{kind:7} "
        + ", ".join(f"{counts[kind, action]} {action.lower()}" for action in ImportAction)
        for kind in kinds
    ]
