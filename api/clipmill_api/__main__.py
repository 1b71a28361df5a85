"""`python -m clipmill_api`: serve the API on CLIPMILL_PORT, with settings from the environment."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from clipmill import fault_points
from clipmill.environment import InvalidSettings
from clipmill.json_logs import log_handler
from clipmill.process_privacy import forbid_inspection
from clipmill_api.context import utc_now
from clipmill_api.errors import StartRefused
from clipmill_api.http.app import create_app
from clipmill_api.http.share_links import HideSignatures
from clipmill_api.responsiveness import keep_responsive
from clipmill_api.serving.served_certificate import BadCertificate, ServedCertificate
from clipmill_api.settings import Settings

# Exit code of invalid settings, which a restart does not mend.
EXIT_INVALID_SETTINGS = 2
GRACEFUL_SHUTDOWN_S = 20
# A database that starts together with the API has this long to accept connections.
DATABASE_TIMEOUT_S = 60


def main(environ: Mapping[str, str]) -> int:
    """Serve until SIGTERM; return the exit code."""
    try:
        fault_points.load(environ)
        settings = Settings.from_environ(environ)
    except InvalidSettings as error:
        sys.stderr.write(f"clipmill-api: {error}\n")
        return EXIT_INVALID_SETTINGS
    try:
        certificate = ServedCertificate(settings.tls, utc_now) if settings.tls.is_enabled else None
        app = create_app_when_ready(settings)
    except (StartRefused, BadCertificate) as error:
        sys.stderr.write(f"clipmill-api: {error}\n")
        return EXIT_INVALID_SETTINGS
    server = server_options(settings)
    if certificate is not None:
        certificate.register(app.state.context.metrics.registry)
        server["ssl_context_factory"] = lambda *_: certificate.context
    keep_responsive()
    logging.getLogger("uvicorn.access").addFilter(HideSignatures())
    if settings.log_format == "json":
        logging.basicConfig(handlers=[log_handler("json")])
        logging.getLogger("clipmill_api").setLevel(logging.INFO)
        server |= {"log_config": None, "log_level": "info"}
    uvicorn.run(app, timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S, **server)
    return 0


def server_options(settings: Settings) -> dict[str, Any]:
    """Return uvicorn's options for the port and for proxies."""
    # In a pod, the network policies decide who may connect.
    options: dict[str, Any] = {"host": "0.0.0.0", "port": settings.port}  # noqa: S104
    options["proxy_headers"] = bool(settings.trusted_proxies)
    options["forwarded_allow_ips"] = list(settings.trusted_proxies)
    return options


def create_app_when_ready(settings: Settings, *, pause_s: float = 1) -> FastAPI:
    """Create the app as soon as its database accepts connections.

    Raises:
        OperationalError: The database did not answer within a minute.
    """
    retrying = Retrying(
        retry=retry_if_exception_type(OperationalError),
        wait=wait_fixed(pause_s),
        stop=stop_after_delay(DATABASE_TIMEOUT_S),
        before_sleep=_report_failure,
        reraise=True,
    )
    return retrying(create_app, settings)


def _report_failure(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    cause = str(getattr(error, "orig", error)).strip().splitlines()
    sys.stderr.write(f"clipmill-api: the database does not answer yet: {' '.join(cause)}\n")


if __name__ == "__main__":
    forbid_inspection()
    sys.exit(main(os.environ))
