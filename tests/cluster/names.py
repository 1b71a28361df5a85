"""How things are called on the cluster that the tests were given."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
POSTGRES = "clipmill-test-postgres"


def prefix() -> str:
    """The chart's image.registry."""
    return os.environ.get("CLIPMILL_IMAGE_PREFIX", "")


def tag() -> str:
    """The images' tag."""
    return os.environ["CLIPMILL_IMAGE_TAG"]


def built(part: str) -> str:
    """Which build of an image is in the engine; of one in a registry only its tag is known."""
    if prefix():
        return tag()
    asked = ("docker", "image", "inspect", "-f", "{{.Id}}", image(part))
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def image(part: str) -> str:
    """The image of job, api or operator."""
    return "/".join(filter(None, (prefix(), f"clipmill-{part}:{tag()}")))
