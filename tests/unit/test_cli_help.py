"""The commands' own words: each says what it does and shows how."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from clipmill_cli.commands.command_tree import app
from clipmill_cli.commands.reference_page import commands, pages

PAGE = Path(__file__).parents[2] / "docs/cli.md"


def test_the_page_of_the_commands_is_current() -> None:
    """`make generate` writes it."""
    assert PAGE.read_text() == pages()


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_each_help_has_an_example_of_its_command(words: tuple[str, ...]) -> None:
    """On a line of its own, ready to be copied."""
    said = CliRunner().invoke(app, [*words, "--help"])
    assert said.exit_code == 0
    lines = [line.strip() for line in said.output.splitlines() if line.startswith("      ")]
    assert any(f"clipmill {' '.join(words)}" in line for line in lines)


def test_commands_with_data_print_json() -> None:
    """All that show something, except what only writes files or runs on."""
    silent = {("serve",), ("download",), ("media", "delete"), ("render",)} | {
        ("export",),
        ("import",),
    }
    for words in commands():
        said = CliRunner().invoke(app, [*words, "--help"]).output
        assert ("[text|json]" in said or "text|json" in said) == (words not in silent), words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bogus"], "clipmill: No such command 'bogus'."),
        (["render"], "clipmill: Missing argument 'MANIFEST'."),
        (["list", "--limit", "0"], "clipmill: Invalid value for '--limit'"),
        (["submit", "nowhere.yaml"], "clipmill: nowhere.yaml: no such file"),
        (["admin", "tiers"], "clipmill: no API is named: set CLIPMILL_API_URL"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(words: list[str], said: str) -> None:
    """The line says what is wrong and where to read on."""
    done = CliRunner().invoke(app, words, env={"CLIPMILL_API_URL": None})
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(said)
