"""The chart rendered by Helm: valid objects, minimal rights, NetworkPolicies."""

from __future__ import annotations

import json
import re
from typing import Any

import kubernetes_validate
import pytest

from chart_objects import (
    MODES,
    OPTIONS,
    containers,
    named,
    objects,
    of_kind,
    pods,
    run_helm,
    secrets_of,
    set_options,
)
from generate import CHART, KUBERNETES_VERSION, ROOT

# Kinds whose schema is not part of Kubernetes.
OUTSIDE = {
    "BackendTLSPolicy",
    "Certificate",
    "CustomResourceDefinition",
    "HTTPRoute",
    "PrometheusRule",
    "ServiceMonitor",
}
CLUSTER_WIDE = ("ClusterRole", "ValidatingAdmissionPolicy")
RIGHTS = {
    ("clipmill.dev", "compilations"): {"get", "list", "watch", "create", "patch", "delete"},
    ("clipmill.dev", "compilations/status"): {"patch"},
    ("clipmill.dev", "shows"): {"get", "list", "watch"},
    ("clipmill.dev", "shows/status"): {"patch"},
    ("batch", "jobs"): {"get", "list", "watch", "create", "delete"},
    ("", "pods"): {"list", "watch"},
    ("", "secrets"): {"create", "delete"},
    ("", "events"): {"create"},
    ("", "namespaces"): {"get"},
    ("networking.k8s.io", "networkpolicies"): {"list", "watch", "create", "patch"},
}
KUEUE_RIGHTS = {("kueue.x-k8s.io", "workloads"): {"list"}}
ROW = re.compile(r"^\| (?:`([a-z.0-9]+)`|core) \| `([a-z/]+)` \| ([a-z, ]+) \|", re.MULTILINE)
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
FIRST_SECRETS = {("", "secrets"): {"create"}}


@pytest.mark.parametrize("option", MODES)
def test_lint(option: str) -> None:
    """`helm lint --strict` reports nothing."""
    where = ("lint", "--strict", str(CHART), "--kube-version", KUBERNETES_VERSION)
    done = run_helm(*where, *set_options(OPTIONS[option]))
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("option", OPTIONS)
def test_every_object_is_valid_and_labelled(option: str) -> None:
    """By the schemas of Kubernetes without unknown fields; names are unique."""
    names = set()
    for made in objects(option):
        if made["kind"] not in OUTSIDE:
            kubernetes_validate.validate(made, "1.34", strict=True)
        where = made["metadata"].get("namespace")
        names.add((made["kind"], where, made["metadata"]["name"]))
        if made["kind"] == "CustomResourceDefinition":
            continue
        assert made["metadata"]["labels"]["app.kubernetes.io/instance"] == "clipmill", made
        assert made["kind"].startswith(CLUSTER_WIDE) == (where is None), made
    assert len(names) == len(objects(option))


@pytest.mark.parametrize("option", OPTIONS)
def test_every_pod_is_restricted(option: str) -> None:
    """Pod Security `restricted`, a read-only root, limits, and a token for the operator only."""
    for component, pod in pods(option):
        assert pod.get("automountServiceAccountToken", True) == (component == "operator")
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsUser"] > 0
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        for volume in pod.get("volumes", []):
            kinds = volume.keys() - {"name"}
            assert kinds <= {"emptyDir", "persistentVolumeClaim", "configMap", "secret"}, volume
            assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"]
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "runAsNonRoot": True,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            }
            assert container["resources"]["limits"]["memory"]
            assert not container["image"].endswith(":latest")


@pytest.mark.parametrize("option", OPTIONS)
def test_every_server_has_probes(option: str) -> None:
    """For its start, liveness and readiness."""
    for made in of_kind(option, "Deployment", "StatefulSet"):
        for container in made["spec"]["template"]["spec"]["containers"]:
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()


def rules(role: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    """Return the verbs of a Role by group and resource."""
    return {
        (group, resource): set(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


@pytest.mark.parametrize("option", OPTIONS)
def test_rights(option: str) -> None:
    """The operator has these rights and no others; nobody else has any."""
    roles = [role for role in of_kind(option, "Role", "ClusterRole") if not _is_for_people(role)]
    first = [role for role in roles if role["metadata"]["name"].endswith("-secrets")]
    assert [rules(role) for role in first] == [FIRST_SECRETS]
    rights = RIGHTS | (KUEUE_RIGHTS if option == "queued" else {})
    assert [rules(role) for role in roles if role not in first] == [rights] * (len(roles) - 1)
    for binding in of_kind(option, "RoleBinding", "ClusterRoleBinding"):
        (subject,) = binding["subjects"]
        assert subject["name"].endswith("-operator")
        assert subject["namespace"] == "clipmill"


def _is_for_people(role: dict[str, Any]) -> bool:
    """Return whether Kubernetes adds a role's rules to its own roles (docs/roles.md)."""
    return any(label.startswith(AGGREGATE) for label in role["metadata"]["labels"])


def test_roles_of_people() -> None:
    """View reads, edit writes, and nobody writes a status; without the option there are none."""
    verbs = {
        label.removeprefix(AGGREGATE): set(role["rules"][0]["verbs"])
        for role in of_kind("sqlite", "ClusterRole")
        for label in role["metadata"]["labels"]
        if label.startswith(AGGREGATE)
    }
    assert verbs["view"] == {"get", "list", "watch"}
    assert verbs["edit"] == verbs["admin"]
    assert not verbs["edit"] & verbs["view"]
    statuses = [
        rule["verbs"]
        for role in of_kind("sqlite", "ClusterRole")
        if _is_for_people(role)
        for rule in role["rules"]
        if "compilations/status" in rule["resources"]
    ]
    assert statuses == [["get"]]


def test_the_operators_page_lists_the_rights() -> None:
    """docs/operator.md gives the reason for each."""
    page = (ROOT / "docs/operator.md").read_text()
    documented = {(group, what): set(verbs.split(", ")) for group, what, verbs in ROW.findall(page)}
    assert documented == RIGHTS


def test_watched_namespaces() -> None:
    """A Role in each and no ClusterRole; the API accepts job pods of these namespaces only."""
    cluster_wide = of_kind("watched", "ClusterRole", "ClusterRoleBinding")
    assert [role for role in cluster_wide if not _is_for_people(role)] == []
    roles = of_kind("watched", "Role")
    assert {role["metadata"]["namespace"] for role in roles} == {"blue", "green", "clipmill"}
    sources = named("watched", "NetworkPolicy", "clipmill-api")["spec"]["ingress"][0]["from"]
    assert sources[1]["namespaceSelector"]["matchExpressions"] == [
        {
            "key": "kubernetes.io/metadata.name",
            "operator": "In",
            "values": ["blue", "green", "clipmill"],
        }
    ]


@pytest.mark.parametrize(
    ("option", "secret"),
    [("bundled", "clipmill-database"), ("existing", "app"), ("own secrets", "my-password")],
)
def test_only_api_and_database_read_the_database_secret(option: str, secret: str) -> None:
    """The operator reads its own key only."""
    readers = {
        component
        for component, pod in pods(option)
        if secret in {name for name, _ in secrets_of(pod)}
    }
    assert readers == ({"api"} if option == "existing" else {"api", "database"})
    for component, pod in pods(option):
        if component == "operator":
            assert {entry for _, entry in secrets_of(pod)} == {"operator-key"}
        if component == "test":
            assert secrets_of(pod) == set()


@pytest.mark.parametrize("option", OPTIONS)
def test_no_object_carries_a_secret_value(option: str) -> None:
    """Random values are generated in the cluster: what Helm renders can be committed."""
    assert of_kind(option, "Secret") == []


def test_network_policies() -> None:
    """All traffic is denied; the database accepts the API only and connects to nothing."""
    deny = named("bundled", "NetworkPolicy", "clipmill-deny")["spec"]
    assert deny["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & deny.keys()
    for component, pod in pods("bundled"):
        assert component in ("api", "operator", "database", "test"), pod
    database = named("bundled", "NetworkPolicy", "clipmill-database")["spec"]
    assert "egress" not in database
    assert database["ingress"] == [
        {
            "ports": [{"port": 5432, "protocol": "TCP"}],
            "from": [
                {
                    "podSelector": {
                        "matchLabels": {
                            "app.kubernetes.io/name": "clipmill",
                            "app.kubernetes.io/instance": "clipmill",
                            "app.kubernetes.io/component": "api",
                        }
                    }
                }
            ],
        }
    ]
    assert of_kind("open", "NetworkPolicy") == []


def test_traces_reach_the_collector() -> None:
    """API and operator have its address, and may connect to its port. Job pods may not."""
    option, endpoint = "in front and watched over", "http://collector.monitoring:4318"
    traced = {
        component
        for component, pod in pods(option)
        for entry in pod["containers"][0].get("env", [])
        if entry == {"name": "CLIPMILL_OTLP_ENDPOINT", "value": endpoint}
    }
    assert traced == {"api", "operator"}
    for component in traced:
        policy = named(option, "NetworkPolicy", f"clipmill-{component}")["spec"]
        assert {"ports": [{"port": 4318, "protocol": "TCP"}]} in policy["egress"]


def test_helm_test_tries_each_stage() -> None:
    """Without a database too: API server, another pod, a public address; a control shows them."""
    for option, database in (("sqlite", []), ("bundled", ["clipmill-database.clipmill.svc:5432"])):
        tries = {
            item["metadata"]["name"].rpartition("-")[2]: item["spec"]["containers"][0]["args"]
            for item in of_kind(option, "Pod")
        }
        others = ["clipmill-test-target.clipmill.svc:8080", "kubernetes.default.svc:443"]
        private = [f"--closed={address}" for address in (*others, *database)]
        reached = ["--open=clipmill-api.clipmill.svc:80"]
        assert tries == {
            "control": [f"--open={address}" for address in others],
            "discover": reached + private,
            "fetch": reached + private,
            "render": [*reached, *private, "--closed=1.1.1.1:443"],
            "assemble": [*reached, *private, "--closed=1.1.1.1:443"],
        }
    for item in of_kind("watched", "Pod"):
        assert item["metadata"]["namespace"] == "blue"


@pytest.mark.parametrize("option", OPTIONS)
def test_policies_and_services_find_their_pods(option: str) -> None:
    """Each selector matches the labels of a pod of the chart."""
    made = [
        {**(o["metadata"] if o["kind"] == "Pod" else o["spec"]["template"]["metadata"])["labels"]}
        for o in of_kind(option, "Pod", "Deployment", "StatefulSet")
    ]
    for policy in of_kind(option, "NetworkPolicy", "PodDisruptionBudget"):
        spec = policy["spec"]
        wanted = (spec.get("podSelector") or spec["selector"])["matchLabels"]
        assert any(wanted.items() <= labels.items() for labels in made), policy
    for service in of_kind(option, "Service"):
        wanted = service["spec"]["selector"]
        assert sum(wanted.items() <= labels.items() for labels in made) == 1, service


def test_monitors_find_a_port_of_a_service() -> None:
    """Prometheus finds the ports to read, and its namespace is allowed in."""
    option = "in front and watched over"
    services = of_kind(option, "Service")
    for monitor in of_kind(option, "ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"]
        (found,) = [s for s in services if wanted.items() <= s["metadata"]["labels"].items()]
        ports = {port["name"] for port in found["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports
    for part in ("api", "operator"):
        sources = named(option, "NetworkPolicy", f"clipmill-{part}")["spec"]["ingress"][0]["from"]
        peer = {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
        assert {"namespaceSelector": peer} in sources


@pytest.mark.parametrize(
    ("option", "strategy"),
    [("sqlite", "Recreate"), ("bundled", "Recreate"), ("scaled", "RollingUpdate")],
)
def test_deployment_strategy(option: str, strategy: str) -> None:
    """Two pods never share SQLite or a ReadWriteOnce volume."""
    api = named(option, "Deployment", "clipmill-api")["spec"]
    assert api["strategy"]["type"] == strategy
    assert ("replicas" in api) == (option != "scaled"), "the autoscaler sets the number"


def test_replicas_with_an_object_store_share_no_volume() -> None:
    """Each pod has a folder of its own; with a database in it, there is still a volume."""
    (state,) = [
        volume
        for volume in named("scaled", "Deployment", "clipmill-api")["spec"]["template"]["spec"][
            "volumes"
        ]
        if volume["name"] == "state"
    ]
    assert state == {"name": "state", "emptyDir": {"sizeLimit": "20Gi"}}
    assert of_kind("scaled", "PersistentVolumeClaim") == []
    assert of_kind("sqlite", "PersistentVolumeClaim") != []


def test_a_watermark_of_ones_own_is_mounted() -> None:
    """The API reads it from the ConfigMap; without one it has no such variable."""
    (api,) = [
        pod for pod in of_kind("marked", "Deployment") if pod["metadata"]["name"].endswith("api")
    ]
    spec = api["spec"]["template"]["spec"]
    environ = {env["name"]: env.get("value") for env in spec["containers"][0]["env"]}
    assert environ["CLIPMILL_WATERMARK"] == "/etc/clipmill/watermark"
    assert (environ["CLIPMILL_WATERMARK_POSITION"], environ["CLIPMILL_ENCODER"]) == (
        "TopLeft",
        "nvenc",
    )
    assert {"name": "watermark", "configMap": {"name": "mark"}} in spec["volumes"]
    plain = next(pod for pod in of_kind("sqlite", "Deployment") if "api" in pod["metadata"]["name"])
    names = {env["name"] for env in plain["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert "CLIPMILL_WATERMARK" not in names


def test_hosts_of_ingress_and_httproute() -> None:
    """Each host leads to the API's Service, and the Gateway's namespace is allowed in."""
    option = "in front and watched over"
    ingress = named(option, "Ingress", "clipmill-api")["spec"]
    hosts = ["clipmill.example.com", "clips.example.com", "www.example.com"]
    assert ingress["tls"] == [{"hosts": hosts, "secretName": "tls"}]
    assert [rule["host"] for rule in ingress["rules"]] == hosts
    backends = [rule["http"]["paths"][0]["backend"]["service"]["name"] for rule in ingress["rules"]]
    assert backends == ["clipmill-api"] * 3
    route = named(option, "HTTPRoute", "clipmill-api")["spec"]
    assert route["parentRefs"] == [{"name": "public"}]
    assert route["hostnames"] == ["clips.example.org"]
    service = named(option, "Service", "clipmill-api")
    backend = {"name": "clipmill-api", "port": service["spec"]["ports"][0]["port"]}
    assert route["rules"][0]["backendRefs"] == [backend]
    sources = named(option, "NetworkPolicy", "clipmill-api")["spec"]["ingress"][0]["from"]
    peer = {"matchLabels": {"kubernetes.io/metadata.name": "gateway-system"}}
    assert {"namespaceSelector": peer} in sources


def test_kueue_is_a_setting_of_the_operator() -> None:
    """With its defaults, and without the limits of the operator; otherwise nothing names it."""
    environ = {"CLIPMILL_KUEUE": "true", "CLIPMILL_KUEUE_QUEUE": "render"}
    environ |= {"CLIPMILL_KUEUE_PRIORITY_CLASS": "", "CLIPMILL_MAX_ACTIVE": "0"}
    assert environ.items() <= _operator_environ("queued").items()
    assert json.loads(_operator_environ("queued")["CLIPMILL_PODS"])["schedulerName"]
    plain = [made for made in objects("sqlite") if made["kind"] not in OUTSIDE]
    assert "kueue" not in json.dumps(plain).lower().replace("jobs.kueue.enabled", "").replace(
        "kueue.x-k8s.io/", ""
    ).replace("is queued by kueue", "")


def _operator_environ(option: str) -> dict[str, str]:
    pod = named(option, "Deployment", "clipmill-operator")["spec"]["template"]["spec"]
    return {env["name"]: env.get("value", "") for env in pod["containers"][0]["env"]}


@pytest.mark.parametrize("part", ["api", "operator"])
def test_spread_and_annotations_of_the_service_account(part: str) -> None:
    """As set; without them neither field exists."""
    pod = named("placed", "Deployment", f"cm-{part}")["spec"]["template"]["spec"]
    constraint = {
        "maxSkew": 1,
        "topologyKey": "zone",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"disk": "fast"}},
    }
    assert pod["topologySpreadConstraints"] == [constraint]
    account = named("placed", "ServiceAccount", f"cm-{part}")["metadata"]
    assert account["annotations"] == {"role": "media"}
    plain = named("sqlite", "Deployment", f"clipmill-{part}")["spec"]["template"]["spec"]
    assert "topologySpreadConstraints" not in plain
    assert "annotations" not in named("sqlite", "ServiceAccount", f"clipmill-{part}")["metadata"]
