"""Collect the lines that the process of a source writes, which may be taken over by its source."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from clipmill.shows.candidates import (
    EMPTY_RESULT,
    MAX_CANDIDATES,
    ClipCandidate,
    SourceQuery,
    SourceReport,
)
from clipmill_job.discovering.secret_text import SecretText
from clipmill_job.discovering.source_reader import SourceNote, source_field

MAX_NOTES = 20
REASON_CHARS = 60
MESSAGE_CHARS = 500


class SourceLines:
    """The candidates of one source, and how reading it ended."""

    def __init__(self, query: SourceQuery) -> None:
        self._query = query
        self._secrets = SecretText.of(query)
        self._candidates: list[ClipCandidate] = []
        self._notes: list[SourceNote] = []
        self._requests = 0
        self.is_complete = False

    def add(self, line: str) -> None:
        """Take a line; one of another form is left out."""
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            return
        if isinstance(content, dict):
            self._add_candidate(content.get("candidate"))
            self._add_note(content.get("note") or content.get("error"))
            self._add_end(content.get("requests"))

    def _add_candidate(self, content: Any) -> None:
        if not isinstance(content, dict) or len(self._candidates) >= MAX_CANDIDATES:
            return
        try:
            clip = ClipCandidate.model_validate(content)
        except ValidationError:
            return
        self._candidates.append(clip.model_copy(update={"source": self._query.source}))

    def _add_note(self, content: Any) -> None:
        if isinstance(content, dict) and len(self._notes) < MAX_NOTES:
            self.fail(str(content.get("reason")), str(content.get("message")))

    def _add_end(self, requests: Any) -> None:
        if isinstance(requests, int):
            self._requests, self.is_complete = min(max(requests, 0), 10**6), True

    def fail(self, reason: str, message: str) -> None:
        """Report what is wrong with the source."""
        field = source_field(self._query)
        text = message if message.startswith(field) else f"{field}: {message}"
        self._notes.append(SourceNote(reason, self._secrets.hide(text)))

    @property
    def has_failed(self) -> bool:
        """Whether anything was reported to be wrong."""
        return bool(self._notes)

    def candidates(self) -> list[ClipCandidate]:
        """Return the candidates, at most as many as the source allows: those with most views."""
        return most_of(self._candidates, getattr(self._query.query, self._query.query.kind).most)

    def report(self) -> SourceReport:
        """Return how reading the source ended."""
        returned = len(self.candidates())
        notes = self._notes
        if not notes and not returned:
            rule = "no clip of the window passes the filters of the source"
            notes = [SourceNote(EMPTY_RESULT, f"{source_field(self._query)}: {rule}")]
        return SourceReport(
            source=self._query.source,
            requests=self._requests,
            returned=returned,
            reason=notes[0].reason[:REASON_CHARS] if notes else "",
            message="; ".join(note.message for note in notes)[:MESSAGE_CHARS],
        )

    def summary(self) -> str:
        """Return one line for the log."""
        report = self.report()
        text = f"{report.returned} candidates, {report.requests} requests"
        return f"{text}, {report.reason}: {report.message}" if report.reason else text


def most_of(candidates: list[ClipCandidate], most: int) -> list[ClipCandidate]:
    """Return the candidates with most views; those of equal views in the order of the source."""
    if len(candidates) <= most:
        return candidates
    return sorted(candidates, key=lambda clip: -(clip.views or 0))[:most]
