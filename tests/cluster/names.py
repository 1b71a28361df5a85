"""How things are called on the cluster that the tests were given."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
POSTGRES = "clipmill-test-postgres"


def prefix() -> str:
    """The chart's image.registry."""
    return os.environ.get("CLIPMILL_IMAGE_PREFIX", "")


def tag() -> str:
    """The images' tag."""
    return os.environ["CLIPMILL_IMAGE_TAG"]


def image(part: str) -> str:
    """The image of job, api or operator."""
    return "/".join(filter(None, (prefix(), f"clipmill-{part}:{tag()}")))
