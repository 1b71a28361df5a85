"""The help of the commands, docs/cli.md, and wrong usage."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from clipmill_cli.commands.command_tree import app
from clipmill_cli.commands.reference_page import command_words, render_page
from commandline import ENTRY

PAGE = Path(__file__).parents[2] / "docs/cli.md"
# Commands that only write files, delete or keep running.
WITHOUT_JSON = {
    ("serve",),
    ("download",),
    ("admin", "delete-user"),
    ("admin", "revoke"),
    ("links", "revoke"),
    ("media", "cancel-upload"),
    ("media", "delete"),
    ("webhooks", "delete"),
    ("webhooks", "enable"),
    ("credentials", "delete"),
    ("render",),
    ("show", "run"),
    ("shows", "delete"),
    ("export",),
    ("import",),
    ("init",),
    ("login",),
    ("logout",),
    ("dashboard",),
}


def clipmill(*words: str) -> Result:
    """Run a command without an API."""
    return CliRunner().invoke(app, words, env={"CLIPMILL_API_URL": None})


def test_the_reference_page_is_current() -> None:
    """`make generate` writes it."""
    assert PAGE.read_text() == render_page()


@pytest.mark.parametrize("words", list(command_words()), ids=" ".join)
def test_each_help_has_an_example_of_its_command(words: tuple[str, ...]) -> None:
    """Each example is on a line of its own."""
    done = clipmill(*words, "--help")
    assert done.exit_code == 0
    lines = [line.strip() for line in done.stdout.splitlines() if line.startswith("      ")]
    assert any(f"clipmill {' '.join(words)}" in line for line in lines)


def test_commands_that_show_data_print_json() -> None:
    """They have the option -o json."""
    for words in command_words():
        has_option = "text|json" in clipmill(*words, "--help").stdout
        assert has_option == (words not in WITHOUT_JSON), words


@pytest.mark.parametrize("words", [(), ("media",), ("admin",)])
def test_a_group_without_a_command_prints_its_help(words: tuple[str, ...]) -> None:
    """The exit code is that of wrong usage."""
    done = clipmill(*words)
    assert (done.exit_code, "Usage: " in done.output) == (2, True)


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (["bogus"], "'bogus'"),
        (["render"], "'MANIFEST'"),
        (["list", "--limit", "0"], "'--limit'"),
        (["submit", "nowhere.yaml"], "nowhere.yaml: "),
        (["admin", "tiers"], "CLIPMILL_API_URL"),
        (["get", "../media/m-0123"], "'../media/m-0123'"),
        (["plan", "a.yaml", "--allow-private", "10.0.0.1"], "'10.0.0.1'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(words: list[str], fact: str) -> None:
    """The line names the argument, option, file or variable."""
    done = clipmill(*words)
    assert (done.exit_code, done.stderr.count("\n"), done.stdout) == (2, 1, "")
    assert done.stderr.startswith("clipmill: ")
    assert fact in done.stderr


def test_a_shell_completes_commands() -> None:
    """`clipmill --install-completion` writes what calls this."""
    variables = {"COMP_WORDS": "clipmill re", "COMP_CWORD": "1"}
    env = {**os.environ, **variables, "_CLIPMILL_COMPLETE": "complete_bash"}
    done = subprocess.run(ENTRY, env=env, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["render"]
