"""The chart with TLS to the pods, and fields of pods that a person replaces or adds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart_objects import Object, containers, named, of_kind, run_helm, template
from clipmill_api.serving.tls_settings import TlsSettings
from clipmill_api.settings import Settings
from generate import CHART, KUBERNETES_VERSION, ROOT

HOST = "clipmill-api.clipmill.svc"


def container(option: str, part: str) -> Object:
    """Return the container of the API or the operator."""
    pod = named(option, "Deployment", f"clipmill-{part}")["spec"]["template"]["spec"]
    (only,) = pod["containers"]
    return dict(only)


def environ(option: str, part: str) -> dict[str, Any]:
    """Return its variables by name; those of Secrets and fields as a dict."""
    return {
        item["name"]: item.get("value", item.get("valueFrom"))
        for item in container(option, part)["env"]
    }


def volumes(option: str, part: str) -> dict[str, Object]:
    """Return the volumes of a pod by name."""
    pod = named(option, "Deployment", f"clipmill-{part}")["spec"]["template"]["spec"]
    return {volume["name"]: volume for volume in pod["volumes"]}


def test_plain_http_is_the_default() -> None:
    """No file, no CA, and the port of before."""
    assert environ("sqlite", "operator")["CLIPMILL_API_URL"] == f"http://{HOST}:80"
    assert not any("TLS" in name or "_CA" in name[-3:] for name in environ("sqlite", "api"))
    assert "tls" not in volumes("sqlite", "api")
    probes = container("sqlite", "api")["livenessProbe"]["httpGet"]
    assert "scheme" not in probes


@pytest.mark.parametrize(("option", "port"), [("self-signed", 443), ("cert-manager", 8443)])
def test_every_caller_uses_https(option: str, port: int) -> None:
    """Operator, probes, Prometheus, Gateway and `helm test` at the port of the Service."""
    assert environ(option, "operator")["CLIPMILL_API_URL"] == f"https://{HOST}:{port}"
    assert f"{HOST}:{port}" in environ(option, "api")["CLIPMILL_ALLOW_PRIVATE"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container(option, "api")[probe]["httpGet"]["scheme"] == "HTTPS"
    (served,) = named(option, "Service", "clipmill-api")["spec"]["ports"]
    assert (served["name"], served["port"], served["appProtocol"]) == ("https", port, "https")
    (endpoint,) = named(option, "ServiceMonitor", "clipmill-api")["spec"]["endpoints"]
    assert (endpoint["scheme"], endpoint["tlsConfig"]["serverName"]) == ("https", HOST)
    (discover,) = [
        pod for pod in of_kind(option, "Pod") if pod["metadata"]["name"].endswith("discover")
    ]
    assert f"--open={HOST}:{port}" in discover["spec"]["containers"][0]["args"]


def test_the_chart_made_ca() -> None:
    """One init container creates it for the names that the API signs; the policy allows it."""
    operator = named("self-signed", "Deployment", "clipmill-operator")["spec"]["template"]["spec"]
    (init,) = [item for item in operator["initContainers"] if item["name"] == "ca"]
    secret, *names = init["args"]
    served = environ("self-signed", "api")
    assert served["CLIPMILL_TLS_NAMES"].split(",") == names
    assert {HOST, "localhost", "127.0.0.1"} <= set(names)
    volume = volumes("self-signed", "api")["tls"]["secret"]
    assert volume == {"secretName": secret, "defaultMode": 0o440}
    source = environ("self-signed", "operator")["CLIPMILL_CA"]
    assert source == {"secretKeyRef": {"name": secret, "key": "ca.crt"}}
    tls = TlsSettings.from_environ({k: v for k, v in served.items() if isinstance(v, str)})
    assert tls.is_enabled
    policies = of_kind("self-signed", "ValidatingAdmissionPolicy")
    (policy,) = [item for item in policies if item["metadata"]["name"].endswith("-secrets")]
    assert secret in policy["spec"]["variables"][0]["expression"]


def test_a_certificate_of_cert_manager() -> None:
    """For the Service's names, in the Secret of the API; the operator mounts the CA alone."""
    spec = named("cert-manager", "Certificate", "clipmill-api")["spec"]
    assert spec["issuerRef"] == {"name": "internal", "kind": "ClusterIssuer"}
    assert HOST in spec["dnsNames"]
    secret = volumes("cert-manager", "api")["tls"]["secret"]["secretName"]
    assert spec["secretName"] == secret == "clipmill-tls"
    bundle = volumes("cert-manager", "operator")["ca"]["configMap"]
    assert bundle == {"name": "bundle", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    assert environ("cert-manager", "operator")["CLIPMILL_CA_FILE"] == "/etc/clipmill-ca/ca.crt"
    (policy,) = of_kind("cert-manager", "BackendTLSPolicy")
    validation = policy["spec"]["validation"]
    assert validation["hostname"] == HOST
    assert [ref["name"] for ref in validation["caCertificateRefs"]] == ["bundle"]


def rendered(*settings: str) -> list[Object]:
    """Return the objects of other settings."""
    done = template(*settings)
    assert done.returncode == 0, done.stderr
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def deployments(*settings: str) -> dict[str, Object]:
    """Return the pods of Deployments and StatefulSets by name."""
    return {
        item["metadata"]["name"]: item["spec"]["template"]["spec"]
        for item in rendered(*settings)
        if item["kind"] in ("Deployment", "StatefulSet")
    }


def test_the_operator_gets_no_key_of_an_existing_certificate() -> None:
    """Only the entry of the CA; nothing for a public CA."""
    own = ("tls.mode=existing", "tls.existingSecret=web")
    operator = deployments(*own)["clipmill-operator"]
    (ca,) = [volume["secret"] for volume in operator["volumes"] if volume["name"] == "ca"]
    assert ca == {"secretName": "web", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    public = deployments(*own, "tls.caKey=")["clipmill-operator"]
    assert [volume["name"] for volume in public["volumes"]] == ["tmp"]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("tls.mode=existing", "at '/tls/existingSecret': minLength: got 0, want 1"),
        ("tls.existingSecret=web", "at '/tls/existingSecret': value must be ''"),
        ("tls.mode=certManager", "at '/tls/certManager/issuerRef': missing property 'name'"),
        ("tls.mode=letsencrypt", "at '/tls/mode': value must be one of"),
        ("api.workerSourceRanges={10.0.0.1}", "at '/api/workerSourceRanges/0': '10.0.0.1' does"),
    ],
)
def test_bad_settings_are_refused_by_name(setting: str, message: str) -> None:
    """Before anything reaches the cluster."""
    done = template(setting)
    assert done.returncode != 0
    assert message in done.stderr


def test_the_ranges_reach_the_settings_of_the_api() -> None:
    """As the API parses them."""
    variables = environ("self-signed", "api")
    keys = {"CLIPMILL_ADMIN_KEY": "cm_a_", "CLIPMILL_OPERATOR_KEY": "cm_o_"}
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    settings = Settings.from_environ(
        {
            "CLIPMILL_STATE": "state",
            **{name: prefix + letters for name, prefix in keys.items()},
            "CLIPMILL_WORKER_SOURCES": str(variables["CLIPMILL_WORKER_SOURCES"]),
            "CLIPMILL_TRUSTED_PROXIES": str(variables["CLIPMILL_TRUSTED_PROXIES"]),
        }
    )
    assert settings.worker_sources == ("10.0.0.0/8",)
    assert settings.trusted_proxies == ("10.9.0.0/16",)


def flat(path: str, value: Any) -> list[str]:
    """Return the `--set` settings of a value."""
    if isinstance(value, dict):
        return [word for key, inner in value.items() for word in flat(f"{path}.{key}", inner)]
    if isinstance(value, list):
        return [word for at, inner in enumerate(value) for word in flat(f"{path}[{at}]", inner)]
    return [f"{path}={json.dumps(value).strip(chr(34))}"]


PARTS = {
    "api": "clipmill-api",
    "operator": "clipmill-operator",
    "database.bundled": "clipmill-database",
}


@pytest.mark.parametrize("part", PARTS)
def test_fields_of_pods_are_replaced_and_added(part: str) -> None:
    """The others stay as they are, `restricted` included; no other pod changes."""
    own = {
        "podSecurityContext": {"runAsUser": 1000810000, "fsGroup": 1000810000},
        "securityContext": {"seLinuxOptions": {"level": "s0"}, "readOnlyRootFilesystem": False},
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        "extraVolumes": [{"name": "more", "configMap": {"name": "more"}}],
        "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
    }
    bundled = "database.mode=bundled"
    plain = deployments(bundled)
    changed = deployments(bundled, *flat(part, own))
    pod, before = changed.pop(PARTS[part]), plain.pop(PARTS[part])
    assert changed == plain
    assert pod["securityContext"] == before["securityContext"] | own["podSecurityContext"]
    assert own["extraVolumes"][0] in pod["volumes"]
    for item, old in zip(containers(pod), containers(before), strict=True):
        assert item["securityContext"] == old["securityContext"] | own["securityContext"]
    main = pod["containers"][0]
    assert main["env"][-1] == own["extraEnv"][0]
    assert main["volumeMounts"][-1] == own["extraVolumeMounts"][0]


PAGE = (ROOT / "docs/networking.md").read_text()
VALUES = re.findall(r"```yaml\n(# values\.yaml\n.*?)```", PAGE, re.DOTALL)


def test_the_values_of_the_page_render(tmp_path: Path) -> None:
    """docs/networking.md: each set of values, and the mode that its command sets."""
    modes = set()
    for at, values in enumerate(VALUES):
        path = tmp_path / f"{at}.yaml"
        path.write_text(values)
        where = ("template", "clipmill", str(CHART), "-n", "clipmill", "-f", str(path))
        done = run_helm(*where, "--kube-version", KUBERNETES_VERSION)
        assert done.returncode == 0, done.stderr
        modes.add(yaml.safe_load(values).get("tls", {}).get("mode"))
    commands = set(re.findall(r"--set tls\.mode=(\w+)", PAGE))
    assert {*modes, *commands} == {None, "certManager", "existing", "selfSigned"}
    own = re.search(r"get secret -n clipmill (\S+) -o jsonpath='{.data.ca\\.crt}'", PAGE)
    assert own is not None
    assert own[1] == volumes("self-signed", "api")["tls"]["secret"]["secretName"]
