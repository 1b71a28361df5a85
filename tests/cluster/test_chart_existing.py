"""The chart with an existing database, which the API reaches and no job pod does."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator

import pytest

from chart_objects import set_options
from cluster import names
from cluster.kubectl import Object, apply, find, get, kubectl, namespace
from generate import CHART

HERE, ADDRESS = "chart-existing", "db.chart-existing.svc:5432"
SETTINGS = (
    "database.mode=existing",
    "database.existingSecret=app",
    "database.peers[0].podSelector.matchLabels.app=db",
    f"tests.databaseAddress={ADDRESS}",
    "api.storage.size=1Gi",
    f"watchNamespaces={{{HERE}}}",
    f"image.registry={names.prefix()}",
)


def database(password: str) -> list[Object]:
    """A server without any policy of ours, its Service, and the Secret with its URL."""
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    env = {"USER": "ada", "PASSWORD": password, "DB": "clips"}
    container = {
        "name": "db",
        "image": f"{names.POSTGRES}:1",
        "env": [{"name": f"POSTGRES_{name}", "value": value} for name, value in env.items()]
        + [{"name": "PGDATA", "value": "/tmp/data"}],
        "securityContext": restricted,
        "volumeMounts": [{"name": "run", "mountPath": "/var/run/postgresql"}],
        "readinessProbe": {"exec": {"command": ["pg_isready", "-h", "127.0.0.1"]}},
    }
    user = {"runAsNonRoot": True, "runAsUser": 999, "seccompProfile": {"type": "RuntimeDefault"}}
    about = {"name": "db", "namespace": HERE, "labels": {"app": "db"}}
    pod = {
        "containers": [container],
        "securityContext": user,
        "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": "run", "emptyDir": {}}],
    }
    service = {"selector": {"app": "db"}, "ports": [{"port": 5432}]}
    url = f"postgresql://ada:{password}@{ADDRESS}/clips"
    return [
        {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": pod},
        {"apiVersion": "v1", "kind": "Service", "metadata": about, "spec": service},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "app", "namespace": HERE},
            "stringData": {"uri": url},
        },
    ]


def helm(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run helm in the namespace."""
    command = ("helm", *argv, "-n", HERE)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture
def over_existing() -> Iterator[None]:
    """The release over the database."""
    apply(namespace(HERE), *database(secrets.token_urlsafe(24)))
    brings = find("crd", "", "compilations.clipmill.dev") is None
    settings = (*SETTINGS, f"crds.install={str(brings).lower()}", "crds.keep=false")
    tag = ("--set-string", f"image.tag={names.tag()}")
    chart = ("install", "other", str(CHART), "--wait", "--timeout=6m")
    try:
        done = helm(*chart, *set_options(settings), *tag)
        assert done.returncode == 0, done.stderr + kubectl("get", "pods", "-n", HERE)
        yield
    finally:
        helm("uninstall", "other", "--ignore-not-found")
        kubectl("delete", "namespace", HERE)


def test_the_api_takes_the_database_of_the_secret(over_existing: None) -> None:
    """Its tables are in that database; the test pod reaches the API and not the database."""
    tables = ("psql", "-h", "127.0.0.1", "-U", "ada", "clips", "-Atc", "SELECT name FROM users")
    password = "export PGPASSWORD=$POSTGRES_PASSWORD; exec "
    shell = ("sh", "-c", password + '"$@"', "-")
    assert kubectl("exec", "-n", HERE, "db", "--", *shell, *tables).split() == ["default"]
    done = helm("test", "other", "--timeout=6m")
    said = kubectl("logs", "-n", HERE, "other-isolation-render")
    assert done.returncode == 0, said
    assert f"ok: {ADDRESS} cannot be reached" in said
    assert get("statefulsets", HERE) == []
