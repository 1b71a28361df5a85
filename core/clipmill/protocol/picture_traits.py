"""Describe what has to be done to the pictures of a source before they are framed."""

from __future__ import annotations

from pydantic import Field

from clipmill.spec.base import Model


class PictureTraits(Model):
    """Traits of a video stream that decide how its pictures are read."""

    decoder: str | None = Field(None, description="Decoder of ffmpeg other than its default one.")
    interlaced: bool = Field(False, description="Whether frames hold two fields.")
    has_alpha: bool = Field(False, description="Whether pixels may be transparent.")
    changes_shape: bool = Field(
        False, description="Whether pictures have to be fitted again within the stream."
    )
