"""What the chart says to people and programs: refusals, notes, settings, and install.yaml."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from clipmill.spec import Manifest
from clipmill_api.settings import Settings as ApiSettings
from clipmill_operator.settings import Settings as OperatorSettings
from generate import CHART, INSTALL, KUBERNETES, helm, install_text
from rendered import OPTIONS, containers, of_kind, pods, run_helm, set_options, template

DOCS = Path(__file__).parents[2] / "docs"
KEYS = {
    "admin-key": "cm_a_0123456789abcdefghijklmnopqrstuvwxyz",
    "operator-key": "cm_o_0123456789abcdefghijklmnopqrstuvwxyz",
    "owner-key": "cm_u_0123456789abcdefghijklmnopqrstuvwxyz",
    "password": "a-password",
    "uri": "postgresql://ada@db.example/clips",
}


def environment(option: str, component: str) -> dict[str, str]:
    """What the main container of a component is told, with Secrets filled in."""
    (pod,) = [pod for name, pod in pods(option) if name == component]
    found = {}
    for variable in pod["containers"][0]["env"]:
        source = variable.get("valueFrom", {})
        ref = source.get("secretKeyRef")
        field = "clipmill" if source.get("fieldRef") else ""
        found[variable["name"]] = KEYS[ref["key"]] if ref else variable.get("value", field)
    for name, value in found.items():
        found[name] = value.replace("$(DATABASE_PASSWORD)", found.get("DATABASE_PASSWORD", ""))
    return found


@pytest.mark.parametrize("option", OPTIONS)
def test_the_api_starts_on_what_it_is_told(option: str) -> None:
    """Its own settings take the environment; the database is the one of the mode."""
    told = ApiSettings.from_environ(environment(option, "api"))
    mode = {"scaled": "existing", "own secrets": "bundled", "placed": "bundled"}.get(option, option)
    name = "cm" if option == "placed" else "clipmill"
    assert told.database == {
        "bundled": f"postgresql+psycopg://clipmill:a-password@{name}-database:5432/clipmill",
        "existing": "postgresql+psycopg://ada@db.example/clips",
    }.get(mode, "sqlite:////var/lib/clipmill/clipmill.db")
    assert told.default_owner == ("" if option == "open" else "default")
    assert (
        "clipmill-api.clipmill.svc:80" in told.allow_private
    ) == told.samples or option == "placed"
    assert ("kubernetes.default.svc:443" in told.canaries) == (option != "open")
    if told.canaries and mode == "bundled":
        assert f"{name}-database.clipmill.svc:5432" in told.canaries
    if option == "placed":
        assert told.allow_private == ("cm-api.clipmill.svc:80", "media.example:9000")
        assert told.allowed_hosts == ("clips.example.com",)


@pytest.mark.parametrize("option", OPTIONS)
def test_the_operator_starts_on_what_it_is_told(option: str) -> None:
    """Its own settings take the environment, and its page names each variable."""
    given = environment(option, "operator")
    told = OperatorSettings.from_environ(given)
    assert told.network_policies == (option != "open")
    assert told.watch_namespaces == (("blue", "green") if option == "watched" else ())
    assert told.api_pod_labels["app.kubernetes.io/component"] == "api"
    assert told.job_image.partition("@")[0].split("/")[-1].startswith("clipmill-job:")
    page = (DOCS / "operator.md").read_text()
    assert {name for name in given if f"`{name}`" not in page} == set()


def test_the_defaults_of_both_agree() -> None:
    """Without the chart the operator would bound job pods in the same way."""
    given = environment("sqlite", "operator")
    chart, plain = OperatorSettings.from_environ(given), dict(given)
    for name in given:
        if name.startswith(("CLIPMILL_PODS", "CLIPMILL_MAX", "CLIPMILL_FETCH", "CLIPMILL_RENDER")):
            del plain[name]
    assert OperatorSettings.from_environ(plain) == chart


def test_images_and_placing_follow_the_values() -> None:
    """Registry, tag and digest; where a pod runs, for each of the three."""
    images = {component: [c["image"] for c in containers(pod)] for component, pod in pods("placed")}
    ours = "registry.example.com:5000/clipmill"
    assert images["api"] == [f"{ours}/clipmill-api@sha256:{'0' * 64}"]
    assert set(images["operator"]) == {f"{ours}/clipmill-operator:v9"}
    assert images["test"] == [f"{ours}/clipmill-job:v9"]
    assert images["database"] == ["docker.io/library/postgres:18"]
    for component, pod in pods("placed"):
        assert pod["imagePullSecrets"] == [{"name": "pull"}]
        if component != "test":
            assert pod["priorityClassName"] == "high"
            assert pod["nodeSelector"] == {"disk": "fast"}
            assert pod["tolerations"] == [{"operator": "Exists"}]
    assert all(o["metadata"]["labels"]["team"] == "video" for o in of_kind("placed", "Service"))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("api.replica=2", "at '/api': additional properties 'replica' not allowed"),
        ("api.replicas=2", "at '/api/replicas': value must be 1"),
        ("database.mode=mysql", "at '/database/mode': value must be one of 'sqlite', 'bundled'"),
        ("database.mode=existing", "at '/database/existingSecret': minLength: got 0, want 1"),
    ],
)
def test_helm_refuses_bad_values_by_name(setting: str, said: str) -> None:
    """What the schema forbids never reaches a cluster, and the message names the setting."""
    done = template(setting)
    assert done.returncode != 0
    assert said in done.stderr


Notes = Callable[..., str]


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Notes:
    """What a person reads after the install; rendered without the cluster that Helm asks for."""
    chart = tmp_path_factory.mktemp("chart") / "clipmill"
    shutil.copytree(CHART, chart)
    (chart / "templates/NOTES.txt").rename(chart / "notes")
    (chart / "templates/shown.yaml").write_text('notes: {{ tpl (.Files.Get "notes") . | toJson }}')

    def shown(*settings: str) -> str:
        where = ("clipmill", str(chart), "-n", "clipmill", "-s", "templates/shown.yaml")
        done = run_helm("template", *where, "--kube-version", KUBERNETES, *set_options(settings))
        assert done.returncode == 0, done.stderr
        text: str = yaml.safe_load(done.stdout)["notes"]
        return text

    return shown


@pytest.mark.parametrize("settings", [(), ("samples=false",), ("watchNamespaces={blue}",)])
def test_the_sample_of_the_notes_is_a_good_manifest(
    notes: Notes, settings: tuple[str, ...]
) -> None:
    """The contract takes it as it stands."""
    sample = notes(*settings).partition("<<'EOF'\n")[2].partition("\nEOF\n")[0]
    manifest = Manifest.model_validate(yaml.safe_load(sample))
    assert len(manifest.spec.clips) >= 2


def test_the_notes_warn_of_what_is_open(notes: Notes) -> None:
    """An install without policies, and a database beside job pods, are said to be such."""
    assert "WARNING" not in notes()
    assert "networkPolicy.enabled is false" in notes("networkPolicy.enabled=false")
    assert "jobs.submitNamespace" in notes("database.mode=bundled")


def test_install_yaml_is_fresh() -> None:
    """`make generate` would write what is there."""
    binary = helm(os.environ)
    if binary is None:
        pytest.skip("no helm to render the chart with")
    assert INSTALL.read_text() == install_text(binary)
