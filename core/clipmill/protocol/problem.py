"""Describe errors of the API."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Its path, such as `spec.clips[0].end`.")
    value: str | None = Field(None, description="What was sent, if it is short and no secret.")
    rule: str = Field(description="What to write.")


class Problem(BaseModel):
    """Problem details (RFC 9457) with a stable `code`; further members hold the error's facts."""

    model_config = ConfigDict(extra="allow")
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    field: str | None = Field(None, description="The field that is wrong, if it is one.")
    errors: list[FieldProblem] = Field([], description="All fields that are wrong, at most 10.")
