"""What a command loads: no module that it does not need."""

from __future__ import annotations

import subprocess
import sys

import httpx
import pytest

from clipmill_client import Client

SERVER = {"alembic", "fastapi", "obstore", "prometheus_client", "psycopg", "sqlalchemy", "uvicorn"}
MEDIA = {"PIL", "av", "imageio_ffmpeg", "uharfbuzz", "yt_dlp"}
OF_SERVICES = {"apprise", "feedparser", "kopf", "kubernetes", "quickjs"}
HTTPX_COMMAND = {"httpx._main", "pygments"}
MAIN = "from clipmill_cli.main import main; main()"
CASES = {
    "the version": (
        [MAIN, "--version"],
        {"clipmill.spec", "httpx", "pydantic", "rich", "typer", "yaml"},
    ),
    "the help": ([MAIN, "--help"], set()),
    "the help of a command": ([MAIN, "render", "--help"], set()),
    "the SDK": (["from clipmill_client import Client"], {"rich", "typer"}),
    "the errors of the SDK": (
        ["import clipmill_client.errors"],
        {"httpx", "pydantic", "rich", "typer"},
    ),
}


def loaded(arguments: list[str]) -> set[str]:
    """Return the modules that a process has loaded at its end, except parts of packages."""
    code, *words = arguments
    report = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    argv = (sys.executable, "-c", f"{report}\n{code}", *words)
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(("arguments", "unneeded"), CASES.values(), ids=CASES)
def test_what_is_not_loaded(arguments: list[str], unneeded: set[str]) -> None:
    """Neither server nor media libraries, nor the command line of httpx."""
    forbidden = SERVER | MEDIA | OF_SERVICES | HTTPX_COMMAND | unneeded
    assert loaded(arguments) & forbidden == set()


def test_a_local_api_loads_no_driver_of_postgresql() -> None:
    """SQLite needs none. Nor does it open media, or export timelines, by itself."""
    code = "import clipmill_cli.local.local_api, clipmill_api.http.app"
    assert (
        loaded([code])
        & {
            *("psycopg", "sqlalchemy.dialects.postgresql", "alembic"),
            *("apprise", "opentelemetry.sdk", "opentimelineio"),
            *MEDIA,
            *HTTPX_COMMAND,
        }
        == set()
    )


def test_a_client_by_http_loads_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first connection by TLS does."""
    monkeypatch.setattr(httpx, "create_ssl_context", lambda: pytest.fail("loaded"))
    with Client("http://127.0.0.1:9", "key"):
        pass


def test_a_table_loads_no_names_of_emojis() -> None:
    """Nor does it replace `:smile:`, which may be a part of a title."""
    table = "terminal.console().print(terminal.table(':smile:', ['a'], [['b']]))"
    code = f"from clipmill_cli.output import terminal; {table}"
    assert "rich._emoji_codes" not in loaded([code])


def test_httpx_can_still_load_its_command_line() -> None:
    """Only the first import leaves it out."""
    code = "import clipmill_client, httpx, httpx._main; assert httpx.Client"
    assert "httpx._main" in loaded([code])


@pytest.mark.parametrize(
    "module", ["clipmill_job.fetching.downloader", "clipmill_job.excerpting.excerpt_writer"]
)
def test_children_load_no_models(module: str) -> None:
    """They start for each clip, and a model of the protocol takes longer to load than they do."""
    forbidden = {"clipmill.protocol", "clipmill.spec", "httpx", "pydantic"}
    assert loaded([f"import {module}"]) & forbidden == set()


@pytest.mark.parametrize(
    ("task", "unneeded"),
    [
        ("rendering.render_task", {"PIL", "uharfbuzz", "clipmill_job.assembling"}),
        ("fetching.fetch_task", {"PIL", "uharfbuzz", "clipmill_job.assembling", "yt_dlp"}),
        ("assembling.assemble_task", {"uharfbuzz", "yt_dlp"}),
        ("discovering.discover_task", {"PIL", "av", "uharfbuzz", "yt_dlp"}),
    ],
)
def test_a_pod_loads_its_stage_only(task: str, unneeded: set[str]) -> None:
    """Not what another stage works with, nor what draws text."""
    code = f"import clipmill_job.__main__, clipmill_job.{task}"
    assert loaded([code]) & unneeded == set()
