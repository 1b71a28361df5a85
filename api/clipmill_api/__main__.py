"""`python -m clipmill_api`: serve on CLIPMILL_PORT (8000), settings from the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from clipmill_api.http.app import create_app
from clipmill_api.settings import Settings, UnsafeSettings, port

UNSAFE = 2
"""Exit code: the settings must be changed, a restart does not help."""
STOP_S = 20
"""Requests that run at the end of the process have this long."""
DATABASE_S = 60
"""A database that starts together with the API has this long to answer."""


def main(environ: Mapping[str, str]) -> int:
    """Serve until told to stop; the exit code."""
    try:
        settings, listen = Settings.from_environ(environ), port(environ)
    except UnsafeSettings as error:
        sys.stderr.write(f"clipmill-api: {error}\n")
        return UNSAFE
    app = started(settings)
    # All addresses: in a pod the network policies decide who comes near.
    uvicorn.run(app, host="0.0.0.0", port=listen, timeout_graceful_shutdown=STOP_S)  # noqa: S104
    return 0


def started(settings: Settings, *, pause_s: float = 1) -> FastAPI:
    """The app over its database, once that answers. Raises OperationalError when it does not."""
    patient = Retrying(
        retry=retry_if_exception_type(OperationalError),
        wait=wait_fixed(pause_s),
        stop=stop_after_delay(DATABASE_S),
        before_sleep=_say,
        reraise=True,
    )
    return patient(create_app, settings)


def _say(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    cause = str(getattr(error, "orig", error)).strip().splitlines()
    sys.stderr.write(f"clipmill-api: the database does not answer yet: {' '.join(cause)}\n")


if __name__ == "__main__":
    sys.exit(main(os.environ))
