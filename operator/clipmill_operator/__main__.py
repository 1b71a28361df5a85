"""`python -m clipmill_operator`: settings from the environment, then watch until told to stop."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from prometheus_client import start_http_server

from clipmill_client.client import Client
from clipmill_operator.kube import Kube
from clipmill_operator.reconciling.reconciler import Reconciler
from clipmill_operator.reconciling.submission_sync import Submissions
from clipmill_operator.settings import BadSettings, Settings
from clipmill_operator.watching import watches
from clipmill_operator.watching.control_loop import Loop
from clipmill_operator.watching.health import Health
from clipmill_operator.watching.object_cache import Cache
from clipmill_operator.watching.pollers import Poll, Resync

BAD_SETTINGS = 2
ATTEMPTS = 2
"""Of one call to the API: the loop tries again by itself, and a worker is not to wait."""


def put_together(settings: Settings, kube: Kube, health: Health) -> Loop:
    """The operator's tasks, each given what it needs."""
    api = Client(settings.api_url, settings.operator_key, attempts=ATTEMPTS).operator
    cache = Cache()
    reconciler = Reconciler(
        kube, api, cache, settings, clock=time.monotonic, now=lambda: datetime.now(UTC)
    )
    resync = Resync(kube, api, cache, settings, health, reconciler.gone)
    told = reconciler.told_anew
    submissions = Submissions(kube, api, cache, reconciler.namespaces, settings, told)
    return Loop(
        kube=kube,
        cache=cache,
        reconciler=reconciler,
        poll=Poll(api, cache, reconciler.standings),
        resync=resync,
        submissions=submissions,
        settings=settings,
        health=health,
    )


def main(environ: Mapping[str, str]) -> int:
    """Run the operator; the exit code."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("clipmill_operator").setLevel(logging.INFO)
    try:
        settings = Settings.from_environ(environ)
    except BadSettings as error:
        sys.stderr.write(f"clipmill-operator: {error}\n")
        return BAD_SETTINGS
    start_http_server(settings.metrics_port)
    health = Health(settings.resync_s, time.monotonic)
    kube = Kube.connect(settings.workers + 4)
    watches.run(settings, put_together(settings, kube, health), health)
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
