"""Errors of the API's start."""

from __future__ import annotations


class StartRefused(Exception):
    """The API does not start, since it could damage data. The message says what to do."""
