"""The state folder of a local API: its location, keys, lock and log.

keys.json, credential-keys (0600)   clipmill.db   blobs   jobs/ (scratch and logs)   api.log   lock
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from clipmill_cli.endpoints.private_file import write_private
from clipmill_cli.errors import LocalAPIError


def default_state_folder(environ: Mapping[str, str]) -> Path:
    """Return the state folder below the XDG data home."""
    data_home = environ.get("XDG_DATA_HOME", "")
    base = Path(data_home) if data_home.startswith("/") else Path.home() / ".local" / "share"
    return base / "clipmill"


def create_state_folder(state: Path) -> None:
    """Create the folder, readable by its owner only."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextmanager
def locked(state: Path, on_wait: Callable[[str], None], *, note: str = "") -> Iterator[None]:
    """Hold the folder's lock, so that one process at a time uses it.

    Args:
        on_wait: called with a message that names the other process, before waiting for it.
        note: added to the process id that a waiting process shows.
    """
    with (state / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "?"
            on_wait(
                f"waiting for process {holder}, which uses {state}"
                " (choose another folder with --state)"
            )
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(f"{os.getpid()}{note}")
        file.flush()
        yield


@contextmanager
def warnings_logged_to(path: Path) -> Iterator[None]:
    """Write the API's warnings and errors to a file instead of the terminal."""
    handler = logging.FileHandler(path, delay=True)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def new_keys() -> dict[str, str]:
    """Return random keys of administrator, operator and the first user, by role."""
    from clipmill_api.http.authentication import new_key  # noqa: PLC0415

    return {"admin": new_key("admin"), "operator": new_key("operator"), "user": new_key("user")}


def load_keys(state: Path) -> dict[str, str]:
    """Return the API keys by role, after creating them if needed.

    Raises:
        LocalAPIError: the file is damaged.
    """
    path = state / "keys.json"
    try:
        stored = {str(role): str(key) for role, key in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        stored = {}
    except (ValueError, AttributeError):
        raise LocalAPIError(f"{path}: damaged; delete it and new keys are created") from None
    keys = {**new_keys(), **stored}
    if keys.keys() != stored.keys():
        write_private(path, json.dumps(keys))
    return keys


def credential_keys_file(state: Path) -> Path:
    """Return the file with the key that encrypts credentials, created at the first use."""
    from clipmill_api.credentials.keyring import new_keyring_text  # noqa: PLC0415

    path = state / "credential-keys"
    if not path.exists():
        own = state / f"credential-keys.{os.getpid()}"
        write_private(own, new_keyring_text() + "\n")
        # Two programs that start at once keep the key of the first.
        with suppress(FileExistsError):
            path.hardlink_to(own)
        own.unlink()
    return path
