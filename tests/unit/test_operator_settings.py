"""The operator's settings: defaults, refusals, and the page that describes them."""

from __future__ import annotations

import re

import pytest
from prometheus_client.metrics import MetricWrapperBase
from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from clipmill.environment import InvalidSettings
from clipmill_operator import metrics
from clipmill_operator.settings import Settings
from manifests import ROOT

PAGE = (ROOT / "docs/operator.md").read_text()
ENVIRON = {
    "CLIPMILL_API_URL": "http://api:8000",
    "CLIPMILL_OPERATOR_KEY": "cm_o_key",
    "CLIPMILL_JOB_IMAGE": "clipmill-job:1",
    "CLIPMILL_NAMESPACE": "clipmill",
    "CLIPMILL_API_POD_LABELS": "app.kubernetes.io/component=api",
}


def test_defaults() -> None:
    """Five variables are required."""
    settings = Settings.from_environ(ENVIRON)
    assert settings.pods_api_url == "http://api:8000"
    assert settings.submissions_namespace == settings.api_pods_namespace == "clipmill"
    assert "10.0.0.0/8" in settings.blocked_cidrs
    assert settings.first_namespaces == {"clipmill"}
    assert settings.default_owner == "default"
    assert "cm_o_key" not in repr(settings)


def test_policies_are_applied_where_the_operator_has_rights() -> None:
    """In the watched namespaces only, if there are any: in others each attempt would be refused."""
    watching = {"CLIPMILL_WATCH_NAMESPACES": "blue,green", "CLIPMILL_SUBMIT_NAMESPACE": "blue"}
    assert Settings.from_environ(ENVIRON | watching).first_namespaces == {"blue", "green"}


def test_values_of_each_sort() -> None:
    """Lists, labels, durations in seconds, JSON, and an owner that may be empty."""
    settings = Settings.from_environ(
        ENVIRON
        | {
            "CLIPMILL_API_POD_LABELS": "a=1, b=2",
            "CLIPMILL_WATCH_NAMESPACES": "blue,green",
            "CLIPMILL_JOB_TTL_SECONDS": "0",
            "CLIPMILL_PODS": '{"nodeSelector": {"disk": "fast"}}',
            "CLIPMILL_DEFAULT_OWNER": "",
            "CLIPMILL_DNS_CIDRS": "169.254.20.10/32",
        }
    )
    assert settings.api_pod_labels == {"a": "1", "b": "2"}
    assert settings.watch_namespaces == ("blue", "green")
    assert settings.job_ttl_s == 0
    assert settings.pods.node_selector == {"disk": "fast"}
    assert settings.pods.scratch["fetch"] == "5Gi"
    assert settings.default_owner == ""
    assert settings.dns_cidrs == ("169.254.20.10/32",)


@pytest.mark.parametrize("value", ["true", "1", "yes", "on", "True"])
@pytest.mark.parametrize(("name", "field"), [("CLIPMILL_NETWORK_POLICIES", "network_policies")])
def test_booleans(name: str, field: str, value: str) -> None:
    """The spellings that every program of Clipmill accepts."""
    opposite = {"true": "false", "1": "0", "yes": "no", "on": "off", "True": "False"}[value]
    assert getattr(Settings.from_environ(ENVIRON | {name: value}), field) is True
    assert getattr(Settings.from_environ(ENVIRON | {name: opposite}), field) is False


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("CLIPMILL_API_URL", "", "not set"),
        ("CLIPMILL_API_URL", "api:8000", "http(s)://host:port"),
        ("CLIPMILL_JOB_API_URL", "api:8000", "http(s)://host:port"),
        ("CLIPMILL_API_POD_LABELS", "api", "key=value"),
        ("CLIPMILL_API_POD_LABELS", "", "not set"),
        ("CLIPMILL_MAX_ACTIVE", "-1", "0"),
        ("CLIPMILL_MAX_DISCOVERING", "0", "1"),
        ("CLIPMILL_KUEUE_QUEUE", "a/b", "up to 63 letters"),
        ("CLIPMILL_STAGE_DEADLINE_SECONDS", "2h", "whole number"),
        ("CLIPMILL_HEALTH_PORT", "70000", "65535"),
        ("CLIPMILL_EXCLUDED_CIDRS", "10.0.0.1/8", "10.0.0.1/8 has host bits set"),
        ("CLIPMILL_PODS", '{"privileged": true}', "privileged"),
        ("CLIPMILL_PODS", "{", "JSON"),
        ("CLIPMILL_NETWORK_POLICIES", "maybe", "true and false"),
        ("CLIPMILL_JOB_IMAGE_PULL_POLICY", "Sometimes", "'IfNotPresent'"),
    ],
)
def test_an_invalid_value_is_refused_by_name(name: str, value: str, rule: str) -> None:
    """The message names variable and rule."""
    with pytest.raises(InvalidSettings) as refused:
        Settings.from_environ(ENVIRON | {name: value})
    assert str(refused.value).startswith(name)
    assert rule in str(refused.value)


def test_a_queue_without_kueue_is_refused() -> None:
    """Its Jobs would be suspended for ever."""
    for name in ("CLIPMILL_KUEUE_QUEUE", "CLIPMILL_KUEUE_PRIORITY_CLASS"):
        with pytest.raises(InvalidSettings) as refused:
            Settings.from_environ(ENVIRON | {name: "render"})
        assert f"{name} is 'render', and CLIPMILL_KUEUE is false" in str(refused.value)
    on = {"CLIPMILL_KUEUE": "true", "CLIPMILL_KUEUE_QUEUE": "render"}
    assert Settings.from_environ(ENVIRON | on).kueue_queue == "render"


def variable_of(name: str, field: FieldInfo) -> str:
    """Return the variable of a field, the first one if there are several."""
    alias = field.validation_alias
    first = alias.choices[0] if isinstance(alias, AliasChoices) else alias
    return str(first or f"CLIPMILL_{name.upper()}")


def test_the_page_describes_every_variable_with_its_default() -> None:
    """docs/operator.md and the fields name the same variables and defaults."""
    rows = dict(re.findall(r"^\| `(CLIPMILL_[A-Z_]+)` \| ([^|]+) \|", PAGE, re.M))
    fields = {variable_of(name, field): field for name, field in Settings.model_fields.items()}
    assert rows.keys() == fields.keys()
    for name, field in fields.items():
        if isinstance(field.default, bool | int):
            assert rows[name].strip("` ") == str(field.default).lower(), name


def test_the_page_describes_every_metric() -> None:
    """docs/operator.md names the metrics as they are exported."""
    families = [
        family
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for family in metric.describe()
    ]
    exported = {family.name + "_total" * (family.type == "counter") for family in families}
    listed = re.findall(r"`(clipmill_operator_[a-z_]+)`", PAGE.partition("## Metrics")[2])
    assert sorted(listed) == sorted(exported)
