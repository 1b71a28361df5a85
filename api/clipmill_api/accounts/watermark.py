"""The installation's watermark: an image, and its place in every picture."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from clipmill.environment import EnvironmentSettings
from clipmill.spec import Position

DEFAULT_IMAGE = Path(__file__).with_name("watermark.png")


class Watermark(EnvironmentSettings):
    """Settings of the watermark. Sizes are percent of the picture's height.

    The image is read when it is needed, so that a missing one does not stop the API.
    """

    model_config = SettingsConfigDict(env_prefix="CLIPMILL_WATERMARK_")

    path: Path = Field(DEFAULT_IMAGE, validation_alias="CLIPMILL_WATERMARK")
    position: Position = Position.BOTTOM_RIGHT
    size: int = Field(7, ge=1, le=50)
    margin: int = Field(2, ge=0, le=40)
    opacity: int = Field(30, ge=1, le=100, description="Percent.")
