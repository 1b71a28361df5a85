"""The examples of README and --help run as they are written."""

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
from clipmill.protocol import MediaKind, UserView
from clipmill.protocol.integrations.webhook_models import WebhookRequest
from clipmill.shows.show_spec import ShowSpec
from clipmill_cli.commands import reference_page
from clipmill_client import watching
from clipmill_client.client import Client
from commandline import Completed, clipmill, started
from examples import ROOT, indented, run, with_ids, yaml_block
from harness import SMALL
from show_manifests import show_manifest

README = (ROOT / "README.md").read_text()
# Lines that other tests run (demo, chart, cluster) or a fixture (keys).
RUN_ELSEWHERE = ("./run ", "helm ", "kubectl ", "eval ", "export ")
SERVE = "clipmill serve --port 8000"
DRAFT = "chess-weekly-20270108-1800"
# Its source needs no network, and each of its episodes may play the same clip.
SHOW = ShowSpec.model_validate(
    {
        "schedule": "0 18 * * FRI",
        "sources": [{"library": {}}],
        "select": {"most": 1, "unused": False},
        "approval": "Required",
        "template": {"outputs": [SMALL]},
    }
)


def help_examples() -> list[str]:
    """Return the examples of all commands, each once."""
    starts = ("clipmill ", "eval ", "export ", "CLIPMILL_API_URL=")
    lines = [line for line in indented(reference_page.render_page()) if line.startswith(starts)]
    return list(dict.fromkeys(line for line in lines if "clipmill " in line))


def readme_examples() -> list[str]:
    """Return README's commands of clipmill."""
    return [line for line in indented(README) if line.startswith("clipmill ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the examples name: README's manifest with a small output, and clips."""
    path = tmp_path_factory.mktemp("work")
    (path / "readme.yaml").write_text(yaml_block(README))
    small = yaml.safe_load(yaml_block(README))
    small["spec"]["outputs"] = [SMALL]
    (path / "friday.yaml").write_text(yaml.safe_dump(small))
    for i, name in enumerate(("opener", "goal", "intro", "clip", "a", "b")):
        clipmaker.clip(path / f"{name}.mp4", seconds=1 + i / 10)
    (path / "twitch.txt").write_text("0123456789abcdefghijklmnopqrst\n")
    (path / "bot-token.txt").write_text(
        "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs\n"
    )
    (path / "cookies.txt").write_text(".youtube.com\tTRUE\t/\tTRUE\t0\tSID\tsession-1\n")
    (path / "s3.txt").write_text("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n")
    (path / "proxy.txt").write_text("http://ada:secret@proxy.example.org:3128\n")
    levels.track(path / "track.mp3", levels.tone(300, 1))
    (path / "weekly.yaml").write_text(
        yaml.safe_dump(
            show_manifest(SHOW.model_dump(mode="json", by_alias=True, exclude_unset=True), "weekly")
        )
    )
    local = {"XDG_DATA_HOME": str(path / "data")}
    assert clipmill("media", "upload", path / "clip.mp4", env=dict(local)).code == 0
    return path


@pytest.fixture(scope="module")
def env(folder: Path) -> Iterator[dict[str, str]]:
    """Run README's server command on a free port; return a user's variables."""
    lines = clipmill("keygen").out.splitlines()
    keys = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    words = SERVE.replace("8000", "0").split()[1:]
    server_env = {"PATH": os.environ["PATH"], "HOME": str(folder), **keys}
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with started(*words, env=server_env, cwd=folder, **more) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        (folder / "key.txt").write_text(keys["CLIPMILL_API_KEY"])
        yield {**keys, "CLIPMILL_API_URL": url, "XDG_DATA_HOME": str(folder / "data")}
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def example(folder: Path, env: dict[str, str]) -> Iterator[Callable[[str], Completed]]:
    """A function that runs an example in the folder, with ids that exist."""
    before = Path.cwd()
    os.chdir(folder)

    def run_example(command: str) -> Completed:
        with Client(env["CLIPMILL_API_URL"], env["CLIPMILL_API_KEY"]) as client:
            compilation = client.compilations().items[0].id if "c-0123" in command else ""
            media = _unused_media(client, folder) if "m-0123" in command else ""
            link = _link_to_friday(client) if "l-0123" in command else ""
            if "chess-weekly" in command:
                command = command.replace(DRAFT, _draft_of_show(client, folder))
        notification = _notification(env) if " my-hook" in command else ""
        key = _key_of_ada(env) if " admin " in command else ""
        port = env["CLIPMILL_API_URL"].rsplit(":", 1)[1]
        command = with_ids(command, c=compilation, m=media, s=key, n=notification, l=link)
        return run(command.replace(":8000", f":{port}"), folder, env)

    yield run_example
    os.chdir(before)


def _link_to_friday(client: Client) -> str:
    view = watching.find_compilation(client, "friday")
    return client.results.share(view.id, "main").id


def _unused_media(client: Client, folder: Path) -> str:
    return client.upload_media(folder / "b.mp4", MediaKind.CLIP).id


def _notification(env: dict[str, str]) -> str:
    """Add the webhook that the examples name, and return the id of a notification to it."""
    request = WebhookRequest.model_validate(
        {"url": "https://example.org/hooks", "events": ["compilation.failed"]}
    )
    with Client(env["CLIPMILL_API_URL"], env["CLIPMILL_API_KEY"]) as client:
        client.webhooks.put("my-hook", request)
        client.webhooks.enable("my-hook")
        return client.webhooks.test("my-hook").id


def _draft_of_show(client: Client, folder: Path) -> str:
    """Create the show that the examples name, and return the name of an episode."""
    named = [show for show in client.shows.all() if show.name == "chess-weekly"]
    show = named[0] if named else client.shows.create("chess-weekly", SHOW)
    client.upload_media(folder / "clip.mp4", MediaKind.CLIP)
    return client.shows.run(show.id).name


def _key_of_ada(env: dict[str, str]) -> str:
    """Create the user that the examples name, and return the id of a key of theirs."""
    with Client(env["CLIPMILL_API_URL"], env["CLIPMILL_ADMIN_KEY"]) as client:
        client.admin.put_user(UserView(name="ada", tier="Free"))
        client.admin.create_key("ada")
        return client.admin.keys("ada")[0].id


@pytest.mark.parametrize("command", [line for line in readme_examples() if line != SERVE])
def test_readme_example(command: str, example: Callable[[str], Completed]) -> None:
    """It runs as it is written, with README's manifest."""
    assert example(command).code == 0


def test_each_command_of_readme_is_run_by_a_test() -> None:
    """Here, or by the tests of demo, chart and cluster."""
    for line in indented(README.split("```")[0] + "".join(README.split("```")[2:])):
        assert line.startswith(("clipmill ", *RUN_ELSEWHERE)), line


def test_readme_manifest(example: Callable[[str], Completed]) -> None:
    """It renders as it is written: both outputs, from local files."""
    assert example("clipmill render readme.yaml -o readme/").code == 0
    names = {path.name for path in Path("readme").iterdir()}
    files = {f"{name}{suffix}" for name in ("main", "small") for suffix in (".mp4", ".jpg")}
    boards = {"main-storyboard.png", "small-storyboard.png"}
    assert files | boards | {"report.json"} <= names


def page_examples(page: str) -> list[str]:
    """Return the commands of a page of docs."""
    lines = indented((ROOT / f"docs/{page}").read_text())
    return [line for line in lines if line.startswith("clipmill ")]


@pytest.mark.parametrize(
    "command",
    [
        *page_examples("credentials.md"),
        *page_examples("notifications.md"),
        *page_examples("shows.md"),
    ],
)
def test_page_example(command: str, example: Callable[[str], Completed]) -> None:
    """It runs as it is written, with files of the formats that the page describes."""
    assert example(command).code == 0, command


@pytest.mark.parametrize(
    "command",
    [c for c in help_examples() if "clipmill serve" not in c and "import-legacy" not in c],
)
def test_help_example(command: str, example: Callable[[str], Completed]) -> None:
    """It runs as it is written, with ids that exist."""
    done = example(command)
    assert done.code == 0, done
