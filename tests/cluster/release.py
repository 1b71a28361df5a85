"""Install the release of the tests: the chart with a PostgreSQL, and a namespace of videos."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clipmill_client.client import Client
from cluster import names, world
from cluster.kubectl import apply, get, kubectl, namespace

# Namespace and name of the release.
HERE = "clipmill"
# Namespace of the Compilations: bound to no owner, without a Secret of the database.
VIDEOS = "videos"
SMALL = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}
VALUES: dict[str, Any] = {
    "image": {"registry": names.prefix()},
    "database": {
        "mode": "bundled",
        "bundled": {
            "image": {"repository": names.POSTGRES, "tag": "1"},
            "storage": {"size": "1Gi"},
        },
    },
    "api": {"leaseSeconds": 10, "storage": {"size": "2Gi"}},
    "sources": {"allowPrivate": [f"{world.PUBLIC}:{world.PORT}"]},
    "jobs": {
        "submitNamespace": VIDEOS,
        "maxActivePerOwner": 5,
        # Shards from nine segments on, so that tests run all three stages.
        "renderFromSegments": 9,
        # Videos of a few hundred pixels, on a node that has other work.
        "pods": {"resources": dict.fromkeys(("discover", "fetch", "render", "assemble"), SMALL)},
    },
}


def install(**values: Any) -> None:
    """Install or upgrade the release, and wait until it is ready."""
    apply(namespace(HERE), namespace(VIDEOS))
    settings = {**VALUES, **values, "image": {"registry": names.prefix(), "tag": names.tag()}}
    # An image built again under the same tag needs new pods.
    annotations = {"podAnnotations": {"image": names.built("api")}}
    settings["api"] = {**VALUES["api"], **settings["api"], **annotations}
    settings["operator"] = {"podAnnotations": {"image": names.built("operator")}}
    chart = str(names.ROOT / "charts/clipmill")
    done = subprocess.run(
        (
            *("helm", "upgrade", "--install", HERE, chart, "-n", HERE, "-f", "-"),
            *("--wait", "--timeout", "6m", "--take-ownership"),
        ),
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pods = kubectl("get", "pods", "-n", HERE, "-o", "wide", check=False)
        raise AssertionError(f"{done.stderr}\n{pods}")


def sql(query: str) -> list[list[str]]:
    """Query the database. Return rows as text."""
    psql = 'PGPASSWORD=$POSTGRES_PASSWORD exec psql -h 127.0.0.1 -U clipmill -AtF "\t" -c "$0"'
    output = kubectl("exec", "-n", HERE, f"{HERE}-database-0", "--", "sh", "-c", psql, query)
    return [line.split("\t") for line in output.splitlines() if line]


@contextmanager
def address() -> Iterator[str]:
    """Forward a port to the API and yield its URL."""
    command = ("kubectl", "port-forward", "-n", HERE, f"service/{HERE}-api", ":80")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout is not None
        port = forward.stdout.readline().split(" -> ")[0].rpartition(":")[2]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            forward.terminate()


@contextmanager
def api(key: str) -> Iterator[Client]:
    """Yield a client with one of the generated keys."""
    secret = get(f"secret/{HERE}-keys", HERE)["data"][key]
    with address() as there, Client(there, base64.b64decode(secret).decode()) as client:
        yield client
