"""The setting that switches traces on, of the API and of the operator."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Annotated

from pydantic import AfterValidator, AliasChoices

# The second one is OpenTelemetry's own.
ENDPOINT_VARIABLES = AliasChoices("CLIPMILL_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
MISSING = (
    "OpenTelemetry is not installed: run pip install 'clipmill[tracing]',"
    " or unset this variable and OTEL_EXPORTER_OTLP_ENDPOINT"
)


def can_export() -> bool:
    """Return whether the packages of the extra `tracing` are installed."""
    return all(find_spec(name) for name in ("opentelemetry", "opentelemetry.exporter"))


def _check(endpoint: str) -> str:
    if not endpoint:
        return ""
    if not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s?#]*)?", endpoint):
        raise ValueError(f"{endpoint!r} is not a URL like http://collector:4318")
    if not can_export():
        raise ValueError(MISSING)
    return endpoint


OtlpEndpoint = Annotated[str, AfterValidator(_check)]
