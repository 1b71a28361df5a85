"""Read the metrics of a served API."""

from __future__ import annotations

from harness import Harness


def scrape(api: Harness) -> dict[str, float]:
    """Return every sample of /metrics by its name and labels."""
    text = api.client("none").connection.request_once("GET", "/metrics").text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}
