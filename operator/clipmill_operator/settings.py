"""All settings of the operator, read once from the environment; the start refuses what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::1/128",
    "64:ff9b::/96",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
)
"""What the public internet does not hold: fetch pods do not reach it, whatever else is set."""


class BadSettings(ValueError):
    """The operator cannot start with these settings; says which and why."""


class Resources(BaseModel):
    """Requests and limits of one stage's container, as Kubernetes writes them."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


def _resources(cpu: str, memory: str, most: str) -> Resources:
    return Resources(requests={"cpu": cpu, "memory": memory}, limits={"memory": most})


class Pods(BaseModel):
    """How job pods are placed and bounded: CLIPMILL_PODS, one JSON object; never a resource."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid"
    )
    resources: dict[str, Resources] = Field(
        {
            "fetch": _resources("100m", "256Mi", "1Gi"),
            "render": _resources("500m", "1Gi", "2Gi"),
            "assemble": _resources("500m", "1Gi", "2Gi"),
        },
        description="by stage: fetch, render, assemble",
    )
    scratch: dict[str, str] = Field(
        {"fetch": "5Gi", "render": "10Gi", "assemble": "20Gi"},
        description="size limit of the emptyDir at /scratch, by stage",
    )
    image_pull_secrets: list[str] = []
    node_selector: dict[str, str] = {}
    tolerations: list[dict[str, Any]] = []
    affinity: dict[str, Any] = {}
    priority_class_name: str = ""
    runtime_class_name: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator is told. `docs/operator.md` has the table."""

    api_url: str
    operator_key: str
    job_image: str
    namespace: str
    job_api_url: str = ""
    job_image_pull_policy: str = "IfNotPresent"
    watch_namespaces: tuple[str, ...] = ()
    submit_namespace: str = ""
    default_owner: str = "default"
    max_active: int = 20
    max_active_per_owner: int = 5
    fetch_parallelism: int = 4
    render_parallelism: int = 4
    render_from_segments: int = 24
    stage_deadline_s: int = 7200
    job_ttl_s: int = 600
    pods: Pods = field(default_factory=Pods)
    network_policies: bool = True
    api_namespace: str = ""
    api_pod_labels: Mapping[str, str]
    api_port: int = 8080
    dns_namespace: str = "kube-system"
    dns_cidrs: tuple[str, ...] = ()
    excluded_cidrs: tuple[str, ...] = ()
    resync_s: int = 30
    poll_s: int = 3
    workers: int = 8
    health_port: int = 8080
    metrics_port: int = 9090

    def __post_init__(self) -> None:
        for name in ("api_url", "operator_key", "job_image", "namespace"):
            if not getattr(self, name):
                raise BadSettings(f"CLIPMILL_{name.upper()} is not set")
        for url in (self.api_url, self.pods_api_url):
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                raise BadSettings(f"{url!r} is not the URL of an API: http(s)://host:port")
        if self.network_policies and not self.api_pod_labels:
            raise BadSettings("CLIPMILL_API_POD_LABELS is not set: pods could not reach the API")

    @property
    def pods_api_url(self) -> str:
        """The API as job pods reach it."""
        return self.job_api_url or self.api_url

    @property
    def submissions_to(self) -> str:
        """Where resources of API submissions go that name no namespace."""
        return self.submit_namespace or self.namespace

    @property
    def policy_api_namespace(self) -> str:
        """Where the API's pods are."""
        return self.api_namespace or self.namespace

    @property
    def closed_cidrs(self) -> tuple[str, ...]:
        """What fetch pods must not reach: private ranges, and the cluster's own."""
        return tuple(dict.fromkeys(PRIVATE + self.excluded_cidrs))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read CLIPMILL_*. Raises BadSettings."""
        given = _Given(environ)
        return cls(
            api_url=given.text("API_URL"),
            operator_key=given.text("OPERATOR_KEY"),
            job_image=given.text("JOB_IMAGE"),
            namespace=given.text("NAMESPACE"),
            job_api_url=given.text("JOB_API_URL"),
            job_image_pull_policy=given.text("JOB_IMAGE_PULL_POLICY", "IfNotPresent"),
            watch_namespaces=given.words("WATCH_NAMESPACES"),
            submit_namespace=given.text("SUBMIT_NAMESPACE"),
            default_owner=given.text("DEFAULT_OWNER", "default", may_be_empty=True),
            max_active=given.number("MAX_ACTIVE", 20),
            max_active_per_owner=given.number("MAX_ACTIVE_PER_OWNER", 5),
            fetch_parallelism=given.number("FETCH_PARALLELISM", 4),
            render_parallelism=given.number("RENDER_PARALLELISM", 4),
            render_from_segments=given.number("RENDER_FROM_PIECES", 24, least=0),
            stage_deadline_s=given.number("STAGE_DEADLINE_SECONDS", 7200),
            job_ttl_s=given.number("JOB_TTL_SECONDS", 600, least=0),
            pods=given.pods(),
            network_policies=given.flag("NETWORK_POLICIES", True),
            api_namespace=given.text("API_NAMESPACE"),
            api_pod_labels=given.labels("API_POD_LABELS"),
            api_port=given.number("API_PORT", 8080),
            dns_namespace=given.text("DNS_NAMESPACE", "kube-system"),
            dns_cidrs=given.cidrs("DNS_CIDRS"),
            excluded_cidrs=given.cidrs("EXCLUDED_CIDRS"),
            resync_s=given.number("RESYNC_SECONDS", 30),
            poll_s=given.number("POLL_SECONDS", 3),
            workers=given.number("WORKERS", 8),
            health_port=given.number("HEALTH_PORT", 8080),
            metrics_port=given.number("METRICS_PORT", 9090),
        )


class _Given:
    """The environment, one typed reading at a time. Raises BadSettings naming the variable."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str = "", *, may_be_empty: bool = False) -> str:
        found = self._environ.get(f"CLIPMILL_{name}", default).strip()
        return found if may_be_empty else found or default

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(word for word in re.split(r"[,\s]+", self.text(name)) if word)

    def number(self, name: str, default: int, *, least: int = 1) -> int:
        text = self.text(name, str(default))
        if not text.isdigit() or int(text) < least:
            raise BadSettings(f"CLIPMILL_{name} is {text!r}: a whole number from {least} is needed")
        return int(text)

    def flag(self, name: str, default: bool) -> bool:
        text = self.text(name, str(default)).lower()
        if text not in ("1", "0", "true", "false"):
            raise BadSettings(f"CLIPMILL_{name} is {text!r}: true or false is needed")
        return text in ("1", "true")

    def labels(self, name: str) -> dict[str, str]:
        pairs = [word.partition("=") for word in self.words(name)]
        wrong = [key for key, equals, _ in pairs if not key or not equals]
        if wrong:
            raise BadSettings(f"CLIPMILL_{name}: {wrong[0]!r} is not key=value")
        return {key: value for key, _, value in pairs}

    def cidrs(self, name: str) -> tuple[str, ...]:
        for word in self.words(name):
            try:
                ip_network(word)
            except ValueError as error:
                raise BadSettings(f"CLIPMILL_{name}: {error}") from None
        return self.words(name)

    def pods(self) -> Pods:
        try:
            return Pods.model_validate(json.loads(self.text("PODS", "{}")))
        except (ValidationError, json.JSONDecodeError) as error:
            raise BadSettings(f"CLIPMILL_PODS: {error}") from None
