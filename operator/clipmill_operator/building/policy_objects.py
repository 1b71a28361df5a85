"""NetworkPolicies of job pods. They select pods by the label `clipmill.dev/stage`."""

from __future__ import annotations

from ipaddress import ip_network

from clipmill.protocol import Stage
from clipmill_operator.building.labels import DISCOVER, MANAGED_BY, STAGE
from clipmill_operator.building.resource import Object
from clipmill_operator.settings import Settings


def network_policies(namespace: str, settings: Settings) -> list[Object]:
    """Return the policies of one namespace.

    They deny all traffic of job pods, then allow DNS and the API to every stage, the public
    internet to the stages *fetch* and *discover*, and the object store where jobs get its links.
    """
    job_pods = {"matchExpressions": [{"key": STAGE, "operator": "Exists"}]}
    fetch_pods = {
        "matchExpressions": [
            {"key": STAGE, "operator": "In", "values": [DISCOVER, Stage.FETCH.value]}
        ]
    }
    return [
        _policy(
            namespace,
            "clipmill-jobs-deny",
            {"podSelector": job_pods, "policyTypes": ["Ingress", "Egress"]},
        ),
        _policy(
            namespace,
            "clipmill-jobs-api",
            _egress(job_pods, _dns_rule(settings), _api_rule(settings), *_store_rules(settings)),
        ),
        _policy(namespace, "clipmill-jobs-fetch", _egress(fetch_pods, _internet_rule(settings))),
    ]


def _policy(namespace: str, name: str, spec: Object) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(MANAGED_BY)},
        "spec": spec,
    }


def _egress(pod_selector: Object, *rules: Object) -> Object:
    return {"podSelector": pod_selector, "policyTypes": ["Egress"], "egress": list(rules)}


def _namespace_selector(name: str) -> Object:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _dns_rule(settings: Settings) -> Object:
    peers = [_namespace_selector(settings.dns_namespace)]
    peers += [{"ipBlock": {"cidr": cidr}} for cidr in settings.dns_cidrs]
    return {"to": peers, "ports": [{"port": 53, "protocol": name} for name in ("UDP", "TCP")]}


def _api_rule(settings: Settings) -> Object:
    peer = {
        **_namespace_selector(settings.api_pods_namespace),
        "podSelector": {"matchLabels": dict(settings.api_pod_labels)},
    }
    return {"to": [peer], "ports": [{"port": settings.api_port, "protocol": "TCP"}]}


def _store_rules(settings: Settings) -> list[Object]:
    peers = [{"ipBlock": {"cidr": cidr}} for cidr in settings.object_store_cidrs]
    ports = [{"port": settings.object_store_port, "protocol": "TCP"}]
    return [{"to": peers, "ports": ports}] if peers else []


def _internet_rule(settings: Settings) -> Object:
    peers = []
    for internet in ("0.0.0.0/0", "::/0"):
        version = ip_network(internet).version
        blocked = [cidr for cidr in settings.blocked_cidrs if _version(cidr) == version]
        peers.append({"ipBlock": {"cidr": internet, "except": blocked}})
    ports = [{"port": port, "protocol": "TCP"} for port in settings.fetch_ports]
    return {"to": peers, "ports": ports}


def _version(cidr: str) -> int:
    """Return 4, 6, or 0 for IPv4-mapped addresses: Kubernetes refuses them as a part of ::/0."""
    network = ip_network(cidr)
    is_mapped = getattr(network.network_address, "ipv4_mapped", None) is not None
    return 0 if is_mapped else network.version
