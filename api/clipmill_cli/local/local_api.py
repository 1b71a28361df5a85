"""The API of a local run: in this process, on a loopback port, with its state in one folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from clipmill_cli.errors import LocalAPIError
from clipmill_cli.local import state_folder
from clipmill_cli.local.api_server import running_server
from clipmill_client.client import Client
from clipmill_client.local_transfers import CopiedTransfers

if TYPE_CHECKING:
    from clipmill_api.settings import Settings

LOCAL_OWNER = "local"
# Short, so that the next run can claim the tasks of a crashed one soon. Heartbeats come every 2 s.
LEASE_S = 10
# One user's sources, and nobody else waits for the machine.
FETCH_BACKOFF_S = 1


@dataclass(frozen=True, slots=True)
class SourceAccess:
    """Hosts to fetch from in addition to the API's default ones, and what is refused."""

    hosts: tuple[str, ...] = ()
    any_host: bool = False
    private_addresses: tuple[str, ...] = ()
    refuse_too_long: bool = False


class LocalAPI:
    """The API on a free loopback port, within its `with` block.

    Attributes:
        url: the base URL.
        operator: a client with the operator's key.
        user: a client with the key of the user `local`.
    """

    url: str
    operator: Client
    user: Client

    def __init__(
        self,
        state: Path,
        access: SourceAccess = SourceAccess(),
        *,
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.state = state.absolute()
        self._access = access
        self._on_wait = on_wait
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            state_folder.create_state_folder(self.state)
            stack.enter_context(state_folder.locked(self.state, self._on_wait))
            stack.enter_context(state_folder.warnings_logged_to(self.state / "api.log"))
            keys = state_folder.load_keys(self.state)
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            settings = _settings(self.state, keys, self._access)
            stack.enter_context(running_server(settings, listening))
            self.operator = stack.enter_context(Client(self.url, keys["operator"]))
            self.user = stack.enter_context(Client(self.url, keys["user"]))
            self.user.transfers = CopiedTransfers(self.user.connection, self.state)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _otlp_endpoint(environ: Mapping[str, str]) -> str:
    """Return the collector for traces. The variable of others counts only if it can be used."""
    from clipmill_tracing.endpoint_setting import can_export  # noqa: PLC0415

    of_all = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "") if can_export() else ""
    return environ.get("CLIPMILL_OTLP_ENDPOINT", "") or of_all


def _settings(state: Path, keys: dict[str, str], access: SourceAccess) -> Settings:
    from clipmill import fault_points  # noqa: PLC0415
    from clipmill.environment import InvalidSettings  # noqa: PLC0415
    from clipmill_api.settings import DEFAULT_HOSTS, Settings  # noqa: PLC0415

    try:
        fault_points.load(os.environ)
        return Settings.from_environ(
            {},
            state=state,
            admin_key=keys.get("admin", ""),
            operator_key=keys.get("operator", ""),
            default_owner=LOCAL_OWNER,
            default_owner_key=keys["user"],
            allowed_hosts=(*DEFAULT_HOSTS, *access.hosts),
            allow_any_host=access.any_host,
            allow_private=access.private_addresses,
            refuse_too_long=access.refuse_too_long,
            lease_s=LEASE_S,
            fetch_backoff_s=FETCH_BACKOFF_S,
            credential_keys_file=state_folder.credential_keys_file(state),
            adopt_store=os.environ.get("CLIPMILL_ADOPT_STORE", ""),
            otlp_endpoint=_otlp_endpoint(os.environ),
        )
    except InvalidSettings as error:
        raise LocalAPIError(f"{state}: {error}") from None
