"""The operator's settings: what is read, what stops the start, and that the page tells of all."""

import re
from pathlib import Path

import pytest

from clipmill_operator.settings import BadSettings, Settings

ENVIRON = {
    "CLIPMILL_API_URL": "http://api:8000",
    "CLIPMILL_OPERATOR_KEY": "cm_o_key",
    "CLIPMILL_JOB_IMAGE": "clipmill-job:1",
    "CLIPMILL_NAMESPACE": "clipmill",
    "CLIPMILL_API_POD_LABELS": "app.kubernetes.io/component=api",
}


def test_what_is_left_out_has_a_default() -> None:
    """The five that must be given suffice."""
    settings = Settings.from_environ(ENVIRON)
    assert settings.pods_api_url == "http://api:8000"
    assert settings.submissions_to == settings.policy_api_namespace == "clipmill"
    assert "10.0.0.0/8" in settings.closed_cidrs


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CLIPMILL_API_URL", "", "CLIPMILL_API_URL is not set"),
        ("CLIPMILL_API_URL", "api:8000", "not the URL of an API"),
        ("CLIPMILL_API_POD_LABELS", "api", "'api' is not key=value"),
        ("CLIPMILL_API_POD_LABELS", "", "CLIPMILL_API_POD_LABELS is not set"),
        ("CLIPMILL_MAX_ACTIVE", "0", "CLIPMILL_MAX_ACTIVE is '0'"),
        ("CLIPMILL_EXCLUDED_CIDRS", "10.0.0.1/8", "CLIPMILL_EXCLUDED_CIDRS: 10.0.0.1/8 has host"),
        ("CLIPMILL_PODS", '{"privileged": true}', "CLIPMILL_PODS"),
        ("CLIPMILL_NETWORK_POLICIES", "maybe", "true or false is needed"),
    ],
)
def test_what_is_wrong_stops_the_start(name: str, value: str, said: str) -> None:
    """Each message names the variable."""
    with pytest.raises(BadSettings, match=re.escape(said)):
        Settings.from_environ(ENVIRON | {name: value})


def test_the_page_lists_every_variable() -> None:
    """docs/operator.md and settings.py name the same variables."""
    root = Path(__file__).parents[2]
    code = (root / "operator/clipmill_operator/settings.py").read_text()
    read = set(re.findall(r'given\.\w+\("([A-Z_]+)"', code)) | {"PODS"}
    told = re.findall(r"^\| `CLIPMILL_([A-Z_]+)`", (root / "docs/operator.md").read_text(), re.M)
    assert sorted(read) == sorted(told)


def test_the_page_names_the_metrics() -> None:
    """docs/operator.md and metrics.py name the same ones."""
    root = Path(__file__).parents[2]
    code = (root / "operator/clipmill_operator/metrics.py").read_text()
    made = re.findall(r'= (\w+)\(\s*"clipmill_operator(_\w+)"', code)
    page = (root / "docs/operator.md").read_text().partition("## Metrics")[2]
    told = set(re.findall(r"`(?:clipmill_operator)?(_[a-z_]+)`", page))
    assert told == {name + "_total" * (kind == "Counter") for kind, name in made}
