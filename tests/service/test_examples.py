"""The examples of README and --help, run as they are written."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

import clipmaker
import levels
from clipmill.protocol import MediaKind
from clipmill_cli.commands import reference_page
from clipmill_client.client import Client
from commandline import Completed, clipmill, started
from examples import ROOT, indented, run, with_ids, yaml_block
from harness import SMALL

README = (ROOT / "README.md").read_text()
ELSEWHERE = ("./run ", "helm ", "kubectl ", "eval ", "export ")
"""Lines that other tests run: the demo's, the chart's, the cluster's; keys come from a fixture."""
SERVES = "clipmill serve --port 8000"


def of_help() -> list[str]:
    """The examples of all commands, each once."""
    lines = [line for line in indented(reference_page.pages()) if "clipmill " in line]
    return list(dict.fromkeys(line for line in lines if _is_example(line)))


def _is_example(line: str) -> bool:
    return line.startswith(("clipmill ", "eval ", "export ", "CLIPMILL_API_URL="))


def of_readme() -> list[str]:
    """README's examples that are the command line's."""
    lines = indented(README)
    return [line for line in lines if line.startswith("clipmill ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the examples speak of: README's manifest, its outputs made small, and some clips."""
    found = tmp_path_factory.mktemp("work")
    (found / "readme.yaml").write_text(yaml_block(README))
    small = yaml.safe_load(yaml_block(README))
    small["spec"]["outputs"] = [SMALL]
    (found / "friday.yaml").write_text(yaml.safe_dump(small))
    for i, name in enumerate(("opener", "goal", "intro", "clip", "a", "b")):
        clipmaker.clip(found / f"{name}.mp4", seconds=1 + i / 10)
    levels.track(found / "track.mp3", levels.tone(300, 1))
    return found


@pytest.fixture(scope="module")
def env(folder: Path) -> Iterator[dict[str, str]]:
    """A server by README's own command but at a free port, and the variables of a person."""
    lines = clipmill("keygen").out.splitlines()
    keys = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    words = SERVES.replace("8000", "0").split()[1:]
    alone = {"PATH": os.environ["PATH"], "HOME": str(folder), **keys}
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with started(*words, env=alone, cwd=folder, **more) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        yield {**keys, "CLIPMILL_API_URL": url, "XDG_DATA_HOME": str(folder / "data")}
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def example(folder: Path, env: dict[str, str]) -> Iterator[Callable[[str], Completed]]:
    """Runs an example in the folder, with real ids."""
    before = Path.cwd()
    os.chdir(folder)

    def said(command: str) -> Completed:
        with Client(env["CLIPMILL_API_URL"], env["CLIPMILL_API_KEY"]) as client:
            compilation = client.compilations().items[0].id if "c-0123" in command else ""
            media = _unused(client, folder) if "m-0123" in command else ""
        port = env["CLIPMILL_API_URL"].rsplit(":", 1)[1]
        command = with_ids(command, c=compilation, m=media)
        return run(command.replace(":8000", f":{port}"), folder, env)

    yield said
    os.chdir(before)


def _unused(client: Client, folder: Path) -> str:
    """Media of the library that no compilation uses."""
    return client.upload_media(folder / "b.mp4", MediaKind.CLIP).id


@pytest.mark.parametrize("command", [line for line in of_readme() if line != SERVES])
def test_readmes_commands_work(command: str, example: Callable[[str], Completed]) -> None:
    """As they are written, with README's manifest."""
    assert example(command).code == 0


def test_readme_has_no_command_that_nobody_runs() -> None:
    """Each indented line is run here or by the tests of what it belongs to."""
    for line in indented(README.split("```")[0] + "".join(README.split("```")[2:])):
        assert line.startswith(("clipmill ", *ELSEWHERE)), line


def test_readmes_manifest_renders_as_it_stands(example: Callable[[str], Completed]) -> None:
    """Both outputs, of files of this machine."""
    assert example("clipmill render readme.yaml -o readme/").code == 0
    found = {path.name for path in Path("readme").iterdir()}
    files = {f"{name}{end}" for name in ("main", "small") for end in (".mp4", ".jpg")}
    boards = {"main-storyboard.png", "small-storyboard.png"}
    assert files | boards | {"report.json"} <= found


@pytest.mark.parametrize("command", [c for c in of_help() if "clipmill serve" not in c])
def test_the_examples_of_each_help_work(command: str, example: Callable[[str], Completed]) -> None:
    """As they are written; ids stand for real ones."""
    said = example(command)
    assert said.code == 0, said
