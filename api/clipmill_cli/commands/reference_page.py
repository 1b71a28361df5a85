"""Write docs/cli.md from the commands' own help.

Run `python -m clipmill_cli.commands.reference_page > docs/cli.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import typer.main
from typer.testing import CliRunner

from clipmill_cli.commands.command_tree import app

HEAD = """# The command line

`./run setup` puts it into `.venv/bin/clipmill`; in an environment of your own, `pip install '.[local]'` does.
This page is what `--help` says, command by command; `make generate` writes it.

Everything that shows something takes `-o json`. An error is one line on stderr that names field, value and rule.

| exit code | means |
|---|---|
| 0 | complete |
| 1 | failed, refused, or the API was not reached |
| 2 | the manifest or the command is wrong |
| 3 | complete, but degraded: clips were skipped, and are named with their reasons |
| 130 | interrupted; the same command goes on from what is finished |

| variable | for | what |
|---|---|---|
| `CLIPMILL_API_URL` | all but `serve` | The API to talk to. Without it, commands read the state of this machine. |
| `CLIPMILL_API_KEY` | all | Your key. For `serve`: the key of its first user, `local`. |
| `CLIPMILL_ADMIN_KEY` | `admin`, `serve` | The administrator's key. |
| `CLIPMILL_OPERATOR_KEY` | `serve` | The key that the operator (here: `serve` itself) works with. |
| `DATABASE_URL` | `serve` | A PostgreSQL; without it, SQLite in the state folder. |
| `CLIPMILL_STORE` | `serve` | An object store for the bytes, as `s3://bucket/folder`; without it, the state folder. |
| `CLIPMILL_ALLOWED_HOSTS` | `serve` | Hosts that clips may come from, instead of the platforms'. |
| `CLIPMILL_ALLOW_ANY_HOST` | `serve` | `1`: any public host. Private addresses stay refused. |
| `CLIPMILL_ALLOW_PRIVATE` | `serve` | Private `host:port` that clips may come from all the same; plans say so. |
| `CLIPMILL_MAX_UPLOAD_BYTES` | `serve` | Largest file, fetched or uploaded; 4 GiB. |
| `CLIPMILL_FETCH_LIMIT_SECONDS` | `serve` | Longest fetch of one clip; 600. |
| `CLIPMILL_DEBUG` | all | `1`: show the traceback of an error. |
"""  # noqa: E501  rows of a table
COLUMNS = "90"


def pages() -> str:
    """The whole page."""
    parts = [f"## clipmill {' '.join(words)}\n\n```text\n{_help(words)}```" for words in commands()]
    return "\n\n".join([HEAD.strip(), *parts]) + "\n"


def commands() -> Iterator[tuple[str, ...]]:
    """Every command's words after `clipmill`, in the order of its help."""
    root = typer.main.get_command(app)
    for name, command in getattr(root, "commands").items():  # noqa: B009  no public type has it
        inner = getattr(command, "commands", None)
        yield from [(name, below) for below in inner] if inner else [(name,)]


def _help(words: tuple[str, ...]) -> str:
    said = CliRunner().invoke(
        app, [*words, "--help"], env={"COLUMNS": COLUMNS}, prog_name="clipmill"
    )
    return said.output


if __name__ == "__main__":
    sys.stdout.write(pages())
