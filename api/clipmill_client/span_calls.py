"""The call by which a job reports the spans of its task."""

from __future__ import annotations

from clipmill.protocol import TaskSpans
from clipmill_client.api_connection import ApiConnection


class SpanCalls:
    """Reports of spans, of which a trace may lack some."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def report(self, report: TaskSpans) -> None:
        """Report how long the steps of a task took. It is sent once. Raises ClientError."""
        headers = {"Content-Type": "application/json"}
        content = report.model_dump_json(by_alias=True)
        self._connection.request_once("POST", "/api/worker/spans", content=content, headers=headers)
