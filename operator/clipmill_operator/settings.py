"""Settings of the operator, read once from the environment into one frozen class."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.alias_generators import to_camel

from clipmill.environment import EnvironmentSettings, FromJson, Words, split_words
from clipmill.json_logs import LogFormat
from clipmill.network_ranges import PRIVATE_CIDRS
from clipmill_tracing.endpoint_setting import ENDPOINT_VARIABLES, OtlpEndpoint


class ContainerResources(BaseModel):
    """Requests and limits of the container of one stage, as in a pod."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


def _resources(cpu: str, memory: str, memory_limit: str) -> ContainerResources:
    return ContainerResources(
        requests={"cpu": cpu, "memory": memory}, limits={"memory": memory_limit}
    )


class PodSettings(BaseModel):
    """Limits and placement of job pods. No field of a Compilation reaches these."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid"
    )
    # By stage: discover, fetch, render, assemble.
    resources: dict[str, ContainerResources] = {
        "discover": _resources("50m", "192Mi", "512Mi"),
        "fetch": _resources("100m", "256Mi", "1Gi"),
        "render": _resources("500m", "1Gi", "2Gi"),
        "assemble": _resources("500m", "1Gi", "2Gi"),
    }
    # Size limit of the emptyDir at /scratch, by stage.
    scratch: dict[str, str] = {
        "discover": "1Gi",
        "fetch": "5Gi",
        "render": "10Gi",
        "assemble": "20Gi",
    }
    image_pull_secrets: list[str] = []
    node_selector: dict[str, str] = {}
    tolerations: list[dict[str, Any]] = []
    affinity: dict[str, Any] = {}
    priority_class_name: str = ""
    runtime_class_name: str = ""
    scheduler_name: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


def _check_url(url: str) -> str:
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError(f"{url!r} is not a URL of the form http(s)://host:port")
    return url


def _check_cidrs(cidrs: tuple[str, ...]) -> tuple[str, ...]:
    for cidr in cidrs:
        ip_network(cidr)
    return cidrs


def _check_label_value(value: str) -> str:
    if value and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", value):
        raise ValueError(
            f"{value!r} is no name: up to 63 letters, digits, dashes and dots are allowed"
        )
    return value


def _parse_labels(value: object) -> object:
    """Parse `key=value,key=value`."""
    if not isinstance(value, str):
        return value
    pairs = [word.partition("=") for word in re.split(r"[,\s]+", value.strip(", \t\n"))]
    for key, equals, text in pairs:
        if not key or not equals:
            raise ValueError(f"{key or text!r} is not of the form key=value")
    return {key: text for key, _, text in pairs}


Url = Annotated[str, AfterValidator(_check_url)]
Cidrs = Annotated[Words, AfterValidator(_check_cidrs)]
Labels = Annotated[Mapping[str, str], BeforeValidator(_parse_labels)]
Port = Annotated[int, Field(ge=1, le=65535)]
Ports = Annotated[tuple[Port, ...], BeforeValidator(split_words), Field(min_length=1)]
LabelValue = Annotated[str, AfterValidator(_check_label_value)]
AtLeastOne = Annotated[int, Field(ge=1)]


class Settings(EnvironmentSettings):
    """Configuration of the operator. `docs/operator.md` describes each variable."""

    MAY_BE_EMPTY: ClassVar[frozenset[str]] = frozenset({"CLIPMILL_DEFAULT_OWNER"})

    api_url: Url
    operator_key: str = Field(repr=False)
    job_image: str
    namespace: str
    job_api_url: Url | None = None
    # CAs of the API in PEM, and a file with them, which may be replaced at any time.
    ca: str = ""
    ca_file: Path | None = None
    job_image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    watch_namespaces: Words = ()
    submit_namespace: str = ""
    default_owner: str = "default"
    max_active: int = Field(20, ge=0)
    max_active_per_owner: int = Field(5, ge=0)
    kueue: bool = False
    kueue_queue: LabelValue = ""
    kueue_priority_class: LabelValue = ""
    max_discovering: AtLeastOne = 10
    fetch_parallelism: AtLeastOne = 4
    render_parallelism: AtLeastOne = 4
    render_from_segments: int = Field(24, ge=0)
    stage_deadline_s: int = Field(7200, ge=1, validation_alias="CLIPMILL_STAGE_DEADLINE_SECONDS")
    job_ttl_s: int = Field(600, ge=0, validation_alias="CLIPMILL_JOB_TTL_SECONDS")
    pods: Annotated[PodSettings, FromJson] = PodSettings()
    network_policies: bool = True
    api_namespace: str = ""
    api_pod_labels: Labels = {}
    api_port: Port = 8080
    dns_namespace: str = "kube-system"
    dns_cidrs: Cidrs = ()
    excluded_cidrs: Cidrs = ()
    fetch_ports: Ports = (80, 443)
    # Where job pods of all stages reach the object store, if jobs get its links.
    object_store_cidrs: Cidrs = ()
    object_store_port: Port = 443
    resync_s: int = Field(30, ge=1, validation_alias="CLIPMILL_RESYNC_SECONDS")
    list_s: int = Field(300, ge=1, validation_alias="CLIPMILL_LIST_SECONDS")
    poll_s: int = Field(3, ge=1, validation_alias="CLIPMILL_POLL_SECONDS")
    show_poll_s: int = Field(5, ge=1, validation_alias="CLIPMILL_SHOW_POLL_SECONDS")
    workers: AtLeastOne = 8
    health_port: Port = 8080
    metrics_port: Port = 9090
    log_format: LogFormat = "text"
    otlp_endpoint: OtlpEndpoint = Field("", validation_alias=ENDPOINT_VARIABLES)

    @model_validator(mode="after")
    def _require_labels(self) -> Self:
        if self.network_policies and not self.api_pod_labels:
            raise ValueError(
                "CLIPMILL_API_POD_LABELS is not set: with CLIPMILL_NETWORK_POLICIES=true job pods"
                " reach only the pods with these labels"
            )
        return self

    @model_validator(mode="after")
    def _require_kueue(self) -> Self:
        for variable, value in (
            ("CLIPMILL_KUEUE_QUEUE", self.kueue_queue),
            ("CLIPMILL_KUEUE_PRIORITY_CLASS", self.kueue_priority_class),
        ):
            if value and not self.kueue:
                raise ValueError(
                    f"{variable} is {value!r}, and CLIPMILL_KUEUE is false: no Job would ever start"
                )
        return self

    @property
    def pods_api_url(self) -> str:
        """The URL of the API for job pods."""
        return self.job_api_url or self.api_url

    @property
    def submissions_namespace(self) -> str:
        """The namespace for submissions that name none."""
        return self.submit_namespace or self.namespace

    @property
    def first_namespaces(self) -> frozenset[str]:
        """The namespaces whose job pods are isolated at the start, before their first Job."""
        return frozenset(self.watch_namespaces or (self.namespace, self.submissions_namespace))

    @property
    def api_pods_namespace(self) -> str:
        """The namespace of the API's pods."""
        return self.api_namespace or self.namespace

    @property
    def blocked_cidrs(self) -> tuple[str, ...]:
        """Ranges that fetch pods must not reach: private ones, and those of the cluster."""
        return tuple(dict.fromkeys(PRIVATE_CIDRS + self.excluded_cidrs))
