"""Address and key of an API in a file: of `clipmill login`, and of a running `clipmill serve`."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from clipmill_cli.endpoints.private_file import write_private
from clipmill_cli.errors import LocalAPIError
from clipmill_client.certificate_trust import check_authorities

LOGIN_FILE = "login.json"
SERVE_FILE = "serve.json"
LOCK_FILE = "lock"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An API, a user's key for it, and further CAs of its certificate; empty if there are none."""

    url: str
    key: str
    authorities: str = ""


def login_file(environ: Mapping[str, str]) -> Path:
    """Return the file of `clipmill login`, below the XDG configuration home."""
    config_home = environ.get("XDG_CONFIG_HOME", "")
    base = Path(config_home) if config_home.startswith("/") else Path.home() / ".config"
    return base / "clipmill" / LOGIN_FILE


def store_login(environ: Mapping[str, str], endpoint: Endpoint) -> Path:
    """Store the address, key and CAs of an API with mode 0600, and return the file."""
    path = login_file(environ)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(path, json.dumps(asdict(endpoint)))
    return path


def read_login(environ: Mapping[str, str]) -> Endpoint | None:
    """Return what `clipmill login` has stored.

    Raises:
        LocalAPIError: the file is damaged.
    """
    return _read(login_file(environ))


@contextmanager
def announced(state: Path, endpoint: Endpoint) -> Iterator[None]:
    """Name a running API in its state folder, so that other commands on the folder use it."""
    path = state / SERVE_FILE
    write_private(path, json.dumps(asdict(endpoint)))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_serve(state: Path) -> Endpoint | None:
    """Return the API of the `clipmill serve` that uses a state folder, if one runs."""
    path = state / SERVE_FILE
    # The file of a killed process remains, but not its lock.
    return _read(path) if path.exists() and _is_locked(state) else None


def _is_locked(state: Path) -> bool:
    with (state / LOCK_FILE).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _read(path: Path) -> Endpoint | None:
    try:
        fields = json.loads(path.read_text())
        authorities = str(fields.get("authorities", ""))
        if authorities:
            check_authorities(authorities)
        return Endpoint(str(fields["url"]), str(fields["key"]), authorities)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LocalAPIError(f"{path}: damaged; delete it and run clipmill login again") from None
