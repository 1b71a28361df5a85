"""Texts of the chart: refusals, notes, the programs' environments, and install.yaml."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from chart_objects import OPTIONS, containers, of_kind, pods, run_helm, set_options, template
from clipmill.spec import Manifest
from clipmill_api.settings import Settings as ApiSettings
from clipmill_operator.settings import Settings as OperatorSettings
from generate import CHART, INSTALL, KUBERNETES_VERSION, find_helm, install_text

DOCS = Path(__file__).parents[2] / "docs"
KEYS = {
    "admin-key": "cm_a_0123456789abcdefghijklmnopqrstuvwxyz",
    "operator-key": "cm_o_0123456789abcdefghijklmnopqrstuvwxyz",
    "owner-key": "cm_u_0123456789abcdefghijklmnopqrstuvwxyz",
    "keys": "k1:0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
    "password": "a-password",
    "uri": "postgresql://ada@db.example/clips",
    "ca.crt": "-----BEGIN CERTIFICATE-----",
}
# The port of the API's Service, where it differs from 80.
PORTS = {"self-signed": 443, "cert-manager": 8443}
WITH_DATABASE = {
    "scaled": "existing",
    "own secrets": "bundled",
    "placed": "bundled",
    "self-signed": "bundled",
}


def environment(option: str, component: str) -> dict[str, str]:
    """Return the environment of a component's main container, with values of Secrets."""
    (pod,) = [pod for name, pod in pods(option) if name == component]
    environ = {}
    for variable in pod["containers"][0]["env"]:
        source = variable.get("valueFrom", {})
        ref = source.get("secretKeyRef")
        field = "clipmill" if source.get("fieldRef") else ""
        environ[variable["name"]] = KEYS[ref["key"]] if ref else variable.get("value", field)
    password = environ.get("DATABASE_PASSWORD", "")
    return {
        name: value.replace("$(DATABASE_PASSWORD)", password) for name, value in environ.items()
    }


@pytest.mark.parametrize("option", OPTIONS)
def test_the_api_accepts_its_environment(option: str) -> None:
    """The database is that of the mode; sources, canaries and the owner follow the values."""
    settings = ApiSettings.from_environ(environment(option, "api"))
    mode = WITH_DATABASE.get(option, option)
    name = "cm" if option == "placed" else "clipmill"
    assert settings.database == {
        "bundled": f"postgresql+psycopg://clipmill:a-password@{name}-database:5432/clipmill",
        "existing": "postgresql+psycopg://ada@db.example/clips",
    }.get(mode, "sqlite:////var/lib/clipmill/clipmill.db")
    assert settings.default_owner == ("" if option == "open" else "default")
    own = f"{name}-api.clipmill.svc:{PORTS.get(option, 80)}"
    assert (own in settings.allow_private) == settings.samples
    assert settings.tls.is_enabled == (option in PORTS)
    assert ("kubernetes.default.svc:443" in settings.canaries) == (option != "open")
    if settings.canaries and mode == "bundled":
        assert f"{name}-database.clipmill.svc:5432" in settings.canaries
    if option == "placed":
        assert settings.allow_private == ("cm-api.clipmill.svc:80", "media.example:9000")
        assert settings.allowed_hosts == ("clips.example.com",)


@pytest.mark.parametrize("option", OPTIONS)
def test_the_operator_accepts_its_environment(option: str) -> None:
    """Each variable is described in docs/operator.md."""
    environ = environment(option, "operator")
    settings = OperatorSettings.from_environ(environ)
    assert settings.network_policies == (option != "open")
    assert settings.watch_namespaces == (("blue", "green") if option == "watched" else ())
    assert settings.api_pod_labels["app.kubernetes.io/component"] == "api"
    assert settings.job_image.partition("@")[0].split("/")[-1].startswith("clipmill-job:")
    page = (DOCS / "operator.md").read_text()
    assert {name for name in environ if f"`{name}`" not in page} == set()


# Variables of the operator that depend on the release. The chart's other defaults are its own.
OF_THE_RELEASE = {
    "CLIPMILL_NAMESPACE",
    "CLIPMILL_API_URL",
    "CLIPMILL_API_PORT",
    "CLIPMILL_API_POD_LABELS",
    "CLIPMILL_OPERATOR_KEY",
    "CLIPMILL_JOB_IMAGE",
}


def test_default_values_are_the_defaults_of_the_operator() -> None:
    """Each default is the same in values.yaml and in the operator's settings."""
    environ = environment("sqlite", "operator")
    required = {name: value for name, value in environ.items() if name in OF_THE_RELEASE}
    assert required.keys() == OF_THE_RELEASE
    assert OperatorSettings.from_environ(required) == OperatorSettings.from_environ(environ)


def test_images_and_scheduling_follow_the_values() -> None:
    """Registry, tag and digest, and the scheduling fields of each component."""
    images = {component: [c["image"] for c in containers(pod)] for component, pod in pods("placed")}
    registry = "registry.example.com:5000/clipmill"
    assert images["api"] == [f"{registry}/clipmill-api@sha256:{'0' * 64}"]
    assert set(images["operator"]) == {f"{registry}/clipmill-operator:v9"}
    assert images["test"] == [f"{registry}/clipmill-job:v9"]
    assert images["database"] == ["docker.io/library/postgres:18"]
    for component, pod in pods("placed"):
        assert pod["imagePullSecrets"] == [{"name": "pull"}]
        if component != "test":
            assert pod["priorityClassName"] == "high"
            assert pod["nodeSelector"] == {"disk": "fast"}
            assert pod["tolerations"] == [{"operator": "Exists"}]
    assert all(o["metadata"]["labels"]["team"] == "video" for o in of_kind("placed", "Service"))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("api.replica=2", "at '/api': additional properties 'replica' not allowed"),
        ("api.replicas=2", "at '/api/replicas': value must be 1"),
        ("database.mode=mysql", "at '/database/mode': value must be one of 'sqlite', 'bundled'"),
        ("database.mode=existing", "at '/database/existingSecret': minLength: got 0, want 1"),
    ],
)
def test_helm_refuses_bad_values_by_name(setting: str, message: str) -> None:
    """The message names the setting, and nothing reaches the cluster."""
    done = template(setting)
    assert done.returncode != 0
    assert message in done.stderr


Notes = Callable[..., str]


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Notes:
    """Render NOTES.txt without the cluster that `helm install` requires."""
    chart = tmp_path_factory.mktemp("chart") / "clipmill"
    shutil.copytree(CHART, chart)
    (chart / "templates/NOTES.txt").rename(chart / "notes")
    (chart / "templates/shown.yaml").write_text('notes: {{ tpl (.Files.Get "notes") . | toJson }}')

    def render(*settings: str) -> str:
        where = ("clipmill", str(chart), "-n", "clipmill", "-s", "templates/shown.yaml")
        done = run_helm(
            "template", *where, "--kube-version", KUBERNETES_VERSION, *set_options(settings)
        )
        assert done.returncode == 0, done.stderr
        text: str = yaml.safe_load(done.stdout)["notes"]
        return text

    return render


@pytest.mark.parametrize("settings", [(), ("samples=false",), ("watchNamespaces={blue}",)])
def test_the_manifest_in_the_notes_is_valid(notes: Notes, settings: tuple[str, ...]) -> None:
    """With and without samples, and in a watched namespace."""
    sample = notes(*settings).partition("<<'EOF'\n")[2].partition("\nEOF\n")[0]
    manifest = Manifest.model_validate(yaml.safe_load(sample))
    assert len(manifest.spec.clips) >= 2


def test_the_notes_warn_of_missing_isolation(notes: Notes) -> None:
    """Without NetworkPolicies, and with job pods next to the Secret of a database."""
    assert "WARNING" not in notes()
    assert "networkPolicy.enabled is false" in notes("networkPolicy.enabled=false")
    assert "jobs.submitNamespace" in notes("database.mode=bundled")


def test_install_yaml_is_generated() -> None:
    """From the chart by `make generate`."""
    binary = find_helm(os.environ)
    if binary is None:
        pytest.skip("no helm to render the chart with")
    assert INSTALL.read_text() == install_text(binary)
