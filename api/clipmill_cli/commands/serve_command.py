"""`serve`: the API on this machine, with an operator that renders submissions."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clipmill_cli.commands.options import (
    AllowAnyHostOption,
    AllowHostOption,
    AllowPrivateOption,
    StateOption,
)
from clipmill_cli.endpoints.connections import interruptible
from clipmill_cli.endpoints.endpoint_files import Endpoint, announced
from clipmill_cli.errors import LocalAPIError
from clipmill_cli.local.api_server import running_server
from clipmill_cli.local.embedded_operator import (
    EmbeddedOperator,
    OperatorFailed,
    OperatorRestarting,
)
from clipmill_cli.local.embedded_shows import EmbeddedShows
from clipmill_cli.local.job_processes import JobLauncher
from clipmill_cli.local.job_starts.fork_server import ForkServer
from clipmill_cli.local.local_api import LOCAL_OWNER
from clipmill_cli.local.state_folder import (
    create_state_folder,
    credential_keys_file,
    default_state_folder,
    load_keys,
    locked,
    new_keys,
)
from clipmill_cli.output import terminal
from clipmill_client.client import Client

if TYPE_CHECKING:
    from clipmill_api.http.readiness import ReadinessChecks
    from clipmill_api.settings import Settings

KEY_VARIABLES = {
    "admin": "CLIPMILL_ADMIN_KEY",
    "operator": "CLIPMILL_OPERATOR_KEY",
    "user": "CLIPMILL_API_KEY",
}
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 means any free port.")
    ] = 8000,
    workers: Annotated[
        int,
        typer.Option(min=0, max=32, help="Number of clips fetched at once; 0 means no rendering."),
    ] = 2,
    state: StateOption = None,
    allow_host: AllowHostOption = [],  # noqa: B006  typer reads it as a default and copies it
    allow_any_host: AllowAnyHostOption = False,
    allow_private: AllowPrivateOption = [],  # noqa: B006
) -> None:
    """Serve the API on this machine, and render what is submitted to it.

    Media, an SQLite database and random keys are stored in the --state folder, and a first user
    `local` is created. Other commands on the folder use this API while it runs. CLIPMILL_ADMIN_KEY,
    CLIPMILL_OPERATOR_KEY and CLIPMILL_API_KEY replace the stored keys; `clipmill keygen` generates
    some. DATABASE_URL selects a PostgreSQL. Other settings: docs/cli.md.

    With --workers 0 only the API runs, and another operator renders, such as that of a cluster.

    Examples:
        clipmill serve --port 8000
    """
    folder = (state or default_state_folder(os.environ)).absolute()
    environ = dict(os.environ) | {"CLIPMILL_STATE": str(folder)}
    environ = _with_sources(environ, allow_host, allow_any_host, allow_private)
    # Wrong settings create no folder.
    _settings(_with_keys(environ, new_keys()))
    create_state_folder(folder)
    environ = _with_keys(_with_credential_keys(environ, folder), load_keys(folder))
    settings = _settings(environ)
    with interruptible(), _listening(host, port) as sock:
        url = f"http://{_local_address(host)}:{sock.getsockname()[1]}"
        logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
        logging.getLogger("httpx").setLevel(logging.WARNING)
        with locked(folder, lambda line: typer.echo(line, err=True), note=f" (serve, {url})"):
            _run(settings, sock, url, workers)


def _with_keys(environ: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the stored keys for the variables that are not set."""
    merged = dict(environ)
    for role, name in KEY_VARIABLES.items():
        merged[name] = environ.get(name) or stored.get(role, "")
    return merged


def _with_sources(
    environ: Mapping[str, str], hosts: list[str], any_host: bool, addresses: list[str]
) -> dict[str, str]:
    """Return the environment with the --allow options merged into its variables."""
    from clipmill_api.settings import DEFAULT_HOSTS  # noqa: PLC0415

    merged = dict(environ)
    if hosts:
        allowed = environ.get("CLIPMILL_ALLOWED_HOSTS") or ",".join(DEFAULT_HOSTS)
        merged["CLIPMILL_ALLOWED_HOSTS"] = ",".join([allowed, *hosts])
    if any_host:
        merged["CLIPMILL_ALLOW_ANY_HOST"] = "1"
    if addresses:
        allowed = environ.get("CLIPMILL_ALLOW_PRIVATE", "")
        merged["CLIPMILL_ALLOW_PRIVATE"] = ",".join([*addresses, *filter(None, [allowed])])
    return merged


def _with_credential_keys(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment with a key file of the state folder, unless it names keys."""
    if environ.get("CLIPMILL_CREDENTIAL_KEYS") or environ.get("CLIPMILL_CREDENTIAL_KEYS_FILE"):
        return dict(environ)
    return {**environ, "CLIPMILL_CREDENTIAL_KEYS_FILE": str(credential_keys_file(folder))}


def _settings(environ: Mapping[str, str]) -> Settings:
    """Return the API's settings, with CLIPMILL_API_KEY as the key of the first user."""
    from clipmill import fault_points  # noqa: PLC0415
    from clipmill.environment import InvalidSettings  # noqa: PLC0415
    from clipmill_api.settings import Settings, refuse_weak  # noqa: PLC0415

    if set(environ) & {"CLIPMILL_TLS_CERTIFICATE", "CLIPMILL_TLS_CA"}:
        raise typer.BadParameter("CLIPMILL_TLS_*: clipmill serve has no HTTPS; use a proxy")
    try:
        fault_points.load(environ)
        if not environ.get("CLIPMILL_API_KEY") or environ.get("CLIPMILL_DEFAULT_OWNER"):
            return Settings.from_environ(environ)
        key = environ["CLIPMILL_API_KEY"]
        refuse_weak("CLIPMILL_API_KEY", key, letter="u")
        first = {"CLIPMILL_DEFAULT_OWNER": LOCAL_OWNER, "CLIPMILL_DEFAULT_OWNER_KEY": key}
        return Settings.from_environ({**environ, **first})
    except InvalidSettings as error:
        raise typer.BadParameter(str(error)) from None


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.create_server((host, port), family=family)
    except OSError as error:
        reason = (error.strerror or str(error)).split(" (", maxsplit=1)[0]
        raise LocalAPIError(f"--host {host} --port {port}: {reason.lower()}") from None
    with sock:
        yield sock


def _local_address(host: str) -> str:
    """Return the address at which this machine reaches a server that listens on `host`."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  compared, not bound
        return "127.0.0.1" if host != "::" else "[::1]"
    return f"[{host}]" if ":" in host else host


def _announce(url: str, settings: Settings, workers: int) -> None:
    out = terminal.console()
    database = "PostgreSQL (DATABASE_URL)" if settings.database_url else "SQLite"
    media = "CLIPMILL_STORE" if settings.store_url else settings.state
    renders = f"on this machine, {workers} clips fetched at once" if workers else "elsewhere"
    lines = [
        f"Clipmill API:  {url}",
        f"  dashboard:   {_dashboard(url, settings)}",
        f"  reference:   {url}/docs",
        f"  database:    {database}; media in {media}",
        f"  rendering:   {renders}",
    ]
    if settings.default_owner:
        hint = "the link signs in once; another: clipmill dashboard"
        lines.append(f"  first user:  {settings.default_owner} ({hint})")
    for line in lines:
        terminal.print_line(out, line, 500)
    out.file.flush()


def _dashboard(url: str, settings: Settings) -> str:
    """Return the dashboard's address; with a first user, as a link that signs a browser in once."""
    if not settings.default_owner_key:
        return f"{url}/"
    with Client(url, settings.default_owner_key) as client:
        return client.sign_in.url()


def _run(settings: Settings, listening: socket.socket, url: str, workers: int) -> None:
    """Serve until Ctrl-C or SIGTERM. A compilation in progress continues at the next start."""
    with ExitStack() as stack:
        client = stack.enter_context(Client(url, settings.operator_key))
        launcher = JobLauncher(
            url,
            settings.state / "jobs",
            state=None if settings.store_url else settings.state,
            fork_server=stack.enter_context(ForkServer()),
        )
        operator = EmbeddedOperator(
            client.operator,
            launcher,
            workers=workers,
            on_failed=lambda: ended.set(),  # noqa: PLW0108  the server is started below
        )
        checks: ReadinessChecks = {"operator": operator.check} if workers else {}
        ended = stack.enter_context(running_server(settings, listening, checks))
        stack.enter_context(announced(settings.state, Endpoint(url, settings.default_owner_key)))
        _announce(url, settings, workers)
        if workers:
            shows = EmbeddedShows(client.operator, launcher, workers=workers)
            stack.enter_context(shows)
            stack.enter_context(operator)
        with suppress(KeyboardInterrupt):
            ended.wait()
        _raise_if_failed(operator)


def _raise_if_failed(operator: EmbeddedOperator) -> None:
    with suppress(OperatorRestarting):
        try:
            operator.check()
        except OperatorFailed as error:
            raise LocalAPIError(str(error)) from None
