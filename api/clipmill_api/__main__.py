"""`python -m clipmill_api`: serve on CLIPMILL_PORT (8000), settings from the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import uvicorn

from clipmill_api.app import create_app
from clipmill_api.settings import Settings, UnsafeSettings, port

UNSAFE = 2
"""Exit code: the settings must be changed, a restart does not help."""
STOP_S = 20
"""Requests that run at the end of the process have this long."""


def main(environ: Mapping[str, str]) -> int:
    """Serve until told to stop; the exit code."""
    try:
        settings, listen = Settings.from_environ(environ), port(environ)
    except UnsafeSettings as error:
        sys.stderr.write(f"clipmill-api: {error}\n")
        return UNSAFE
    app = create_app(settings)
    # All addresses: in a pod the network policies decide who comes near.
    uvicorn.run(app, host="0.0.0.0", port=listen, timeout_graceful_shutdown=STOP_S)  # noqa: S104
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
