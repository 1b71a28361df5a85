"""Names of images on the cluster of the tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
POSTGRES = "clipmill-test-postgres"


def prefix() -> str:
    """Return the chart's image.registry."""
    return os.environ.get("CLIPMILL_IMAGE_PREFIX", "")


def tag() -> str:
    """Return the images' tag."""
    return os.environ["CLIPMILL_IMAGE_TAG"]


def built(part: str) -> str:
    """Return the id of an image in the engine, or the tag of one in a registry."""
    if prefix():
        return tag()
    command = ("docker", "image", "inspect", "-f", "{{.Id}}", image(part))
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def image(part: str) -> str:
    """Return the image of job, api or operator."""
    return "/".join(filter(None, (prefix(), f"clipmill-{part}:{tag()}")))
