"""`serve`: the API on this machine, and the operator beside it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from clipmill_cli.commands.options import (
    AllowAnyHost,
    AllowHost,
    AllowPrivate,
    State,
    interruptible,
)
from clipmill_cli.local.embedded_operator import LocalOperator
from clipmill_cli.local.job_processes import Jobs
from clipmill_cli.local.local_api import LocalError, default_state, held, served
from clipmill_cli.output import terminal
from clipmill_client.client import Client

if TYPE_CHECKING:
    from clipmill_api.settings import Settings

SERVE = """Serve the API on this machine, and render here what is submitted to it.

Keys come from the environment: `clipmill keygen` makes them, and weak ones are refused. With
CLIPMILL_API_KEY set too, that is the key of a first user, `local`. Bytes and an SQLite database
lie in --state; DATABASE_URL names a PostgreSQL instead. Further settings: docs/cli.md.

With --workers 0 it is the API alone, and somebody else renders, like the operator of a cluster.

    eval "$(clipmill keygen)"
    clipmill serve --port 8000
    CLIPMILL_API_URL=http://127.0.0.1:8000 clipmill submit friday.yaml --wait
"""
LOG = "%(asctime)s %(levelname)s %(name)s %(message)s"


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8000,
    workers: Annotated[
        int, typer.Option(min=0, max=32, help="Clips fetched at once; 0: render nothing here.")
    ] = 2,
    state: State = None,
    allow_host: AllowHost = [],  # noqa: B006  typer reads it as a default and copies it
    allow_any_host: AllowAnyHost = False,
    allow_private: AllowPrivate = [],  # noqa: B006
) -> None:
    """The command; its help is SERVE."""
    folder = (state or default_state(os.environ)).absolute()
    environ = dict(os.environ) | {"CLIPMILL_STATE": str(folder)}
    settings = _settings(_allowing(environ, allow_host, allow_any_host, allow_private))
    with interruptible(), _listening(host, port) as sock:
        url = f"http://{_near(host)}:{sock.getsockname()[1]}"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        logging.basicConfig(level=logging.INFO, format=LOG)
        logging.getLogger("httpx").setLevel(logging.WARNING)
        with held(folder, lambda line: typer.echo(line, err=True), as_what=f" (serve, {url})"):
            _run(settings, sock, url, workers)


def _allowing(
    environ: dict[str, str], hosts: list[str], any_host: bool, places: list[str]
) -> dict[str, str]:
    """The environment with the options about hosts in it."""
    from clipmill_api.settings import DEFAULT_HOSTS  # noqa: PLC0415

    found = dict(environ)
    if hosts:
        known = environ.get("CLIPMILL_ALLOWED_HOSTS") or ",".join(DEFAULT_HOSTS)
        found["CLIPMILL_ALLOWED_HOSTS"] = ",".join([known, *hosts])
    if any_host:
        found["CLIPMILL_ALLOW_ANY_HOST"] = "1"
    if places:
        known = environ.get("CLIPMILL_ALLOW_PRIVATE", "")
        found["CLIPMILL_ALLOW_PRIVATE"] = ",".join([*places, *filter(None, [known])])
    return found


def _settings(environ: Mapping[str, str]) -> Settings:
    """The API's settings. Raises LocalError naming the variable that is not safe."""
    from clipmill_api.settings import Settings, UnsafeSettings, refuse_weak  # noqa: PLC0415

    try:
        if not environ.get("CLIPMILL_API_KEY") or environ.get("CLIPMILL_DEFAULT_OWNER"):
            return Settings.from_environ(environ)
        key = environ["CLIPMILL_API_KEY"]
        refuse_weak("CLIPMILL_API_KEY", key, letter="u")
        first = {"CLIPMILL_DEFAULT_OWNER": "local", "CLIPMILL_DEFAULT_OWNER_KEY": key}
        return Settings.from_environ({**environ, **first})
    except UnsafeSettings as error:
        raise typer.BadParameter(str(error)) from None


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.create_server((host, port), family=family)
    except OSError as error:
        said = (error.strerror or str(error)).split(" (", maxsplit=1)[0]
        raise LocalError(f"--host {host} --port {port}: {said.lower()}") from None
    with sock:
        yield sock


def _near(host: str) -> str:
    """Where this machine reaches a server that listens on `host`."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  compared, not bound
        return "127.0.0.1" if host != "::" else "[::1]"
    return f"[{host}]" if ":" in host else host


def _announce(url: str, settings: Settings, workers: int) -> None:
    out = terminal.console()
    database = "PostgreSQL (DATABASE_URL)" if settings.database_url else "SQLite"
    renders = f"rendered here, {workers} clips fetched at once" if workers else "not rendered here"
    lines = [
        f"Clipmill's API: {url}",
        f"  dashboard:    {url}/",
        f"  API, to try:  {url}/docs",
        f"  database:     {database}; bytes in {settings.state}",
        f"  submissions:  {renders}",
    ]
    if settings.default_owner:
        lines.append(f"  first user:   {settings.default_owner} (CLIPMILL_API_KEY)")
    for line in lines:
        out.print(terminal.plain(line, 500), soft_wrap=True)
    out.file.flush()


def _run(settings: Settings, listening: socket.socket, url: str, workers: int) -> None:
    """Serve until Ctrl-C or SIGTERM. What renders then is taken up at the next start."""
    with ExitStack() as stack:
        ended = stack.enter_context(served(settings, listening))
        _announce(url, settings, workers)
        if workers:
            client = stack.enter_context(Client(url, settings.operator_key))
            jobs = Jobs(url, settings.state / "jobs")
            stack.enter_context(LocalOperator(client, jobs, workers=workers))
        with suppress(KeyboardInterrupt):
            ended.wait()
