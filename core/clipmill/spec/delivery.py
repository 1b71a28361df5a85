"""Define where finished videos are delivered: a bucket of their owner."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from clipmill.spec.base import Model, Name

# A placeholder stands for a text without a slash; a folder does not begin with a dot.
PLACEHOLDERS = ("name", "namespace", "owner", "id", "generation", "date")
_FIRST = r"([A-Za-z0-9_-]|\{(name|namespace|owner|id|generation|date)\})"
_OTHER = r"([A-Za-z0-9_.-]|\{(name|namespace|owner|id|generation|date)\})*"
PATH_PATTERN = f"^{_FIRST}{_OTHER}(/{_FIRST}{_OTHER})*$"
FolderTemplate = Annotated[str, Field(pattern=PATH_PATTERN, max_length=200)]


class Delivery(Model):
    """Delivery of the videos and their companion files to a bucket."""

    credential: Name = Field(
        description="credential is the name of the owner's credential of the kind s3, which names"
        " the bucket."
    )
    path: FolderTemplate = Field(
        "{name}/{generation}",
        description="path is the folder of the files below the prefix of the credential. It may"
        " hold the placeholders {name}, {namespace}, {owner}, {id}, {generation}, and {date} of the"
        " end in UTC, such as 2026-11-28.",
    )


def render_path(template: str, values: dict[str, str]) -> str:
    """Return a folder with the values of all placeholders."""
    for placeholder in PLACEHOLDERS:
        template = template.replace(f"{{{placeholder}}}", values[placeholder])
    return template
