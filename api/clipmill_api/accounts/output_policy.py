"""What an owner's tier and the installation lay on every output, as it is when a wish comes in."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy.orm import Session

from clipmill.protocol import Image, Layer, OutputPolicy
from clipmill.spec import Position
from clipmill_api.context import Context
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import users_and_keys
from clipmill_api.tables import TierRow
from clipmill_probe import MediaError, probe_image

INSTALLATION = "_installation"
"""Whose the watermark's bytes are in the store: no user can have this name."""


def terms(session: Session, ctx: Context, owner: str) -> OutputPolicy:
    """The terms of a user who exists. Raises the WatermarkMissing problem."""
    tier = users_and_keys.tier_of(session, owner)
    return OutputPolicy.model_validate(
        {
            "tier": tier.name,
            "max_resolution": tier.max_resolution,
            "max_fps": tier.max_fps,
            "encoder": ctx.settings.encoder,
            "watermark": _watermark(ctx, tier),
        }
    )


def _watermark(ctx: Context, tier: TierRow) -> Layer | None:
    """The layer of the installation's image, which is put where jobs can fetch it."""
    if not tier.apply_watermark:
        return None
    mark = ctx.settings.watermark
    try:
        sha256 = _kept(ctx, mark.path)
    except (OSError, MediaError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        detail = (
            f"the tier {tier.name} requires a watermark, but its image {mark.path.name!r} cannot"
            f" be read ({said}); nothing is rendered without it"
        )
        raise ApiProblem(422, "WatermarkMissing", detail) from None
    return Layer(
        image=Image(sha256=sha256),
        position=Position(mark.position),
        size=mark.size,
        margin=mark.margin,
        opacity=mark.opacity,
    )


def _kept(ctx: Context, path: Path) -> str:
    """The sha256 of an image file, which is put into the store once. Raises OSError, MediaError."""
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    if not ctx.store.has(INSTALLATION, sha256):
        probe_image(path)
        ctx.store.put(INSTALLATION, sha256, content)
    return sha256
