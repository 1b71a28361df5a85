"""Consoles, safe text and tables: text of users and sites never acts as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH_WITHOUT_TERMINAL = 110
MAX_CELL_CHARS = 90
MAX_NOTE_CHARS = 500


def console(*, stderr: bool = False) -> Console:
    """Return a console for stdout or stderr; without a terminal its lines have a fixed width.

    It replaces no `:name:` by an emoji: texts stay as they are, and rich's table is not loaded.
    """
    detected = Console(stderr=stderr, highlight=False, emoji=False)
    if detected.is_terminal:
        return detected
    return Console(stderr=stderr, highlight=False, emoji=False, width=WIDTH_WITHOUT_TERMINAL)


def working(err: Console, text: str) -> AbstractContextManager[object]:
    """Show what takes a moment, on a terminal, until the block ends."""
    return err.status(plain(text)) if err.is_terminal else nullcontext()


def local_time(timestamp: str, now: datetime | None = None) -> str:
    """Return an RFC 3339 timestamp as the local time of day, with the date if not today."""
    local = datetime.fromisoformat(timestamp).astimezone()
    today = (now or datetime.now(UTC)).astimezone().date()
    return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M:%S")


def print_line(out: Console, text: object, max_chars: int = 200) -> None:
    """Print plain text as one line, which is not wrapped at the width of the console."""
    out.print(plain(text, max_chars), soft_wrap=True)


def plain(text: object, max_chars: int = 200) -> Text:
    """Return text without markup and control characters, cut to `max_chars`."""
    printable = "".join(char if char.isprintable() else " " for char in str(text))
    if len(printable) > max_chars:
        printable = printable[: max_chars - 1] + "\u2026"
    return Text(printable)


def labelled(label: str, text: str) -> Text:
    """Return an indented line such as `  note: ...` with a coloured label."""
    return Text.assemble((f"  {label} ", "yellow"), plain(text, MAX_NOTE_CHARS))


def table(title: str, columns: Iterable[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table; columns named `>like this` hold numbers and are aligned to the right."""
    built = Table(title=plain(title), title_justify="left", title_style="bold", box=None)
    for column in columns:
        justify = "right" if column.startswith(">") else "left"
        built.add_column(column.lstrip(">"), justify=justify)  # type: ignore[arg-type]
    for row in rows:
        built.add_row(*(_cell(value) for value in row))
    return built


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    return plain("" if value is None else value, MAX_CELL_CHARS)
