"""Output policy: what an owner's tier and the installation impose on every output."""

from __future__ import annotations

import hashlib
from pathlib import Path

from clipmill.protocol import Image, Layer, OutputPolicy
from clipmill.spec import Position
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.media.blob_store import INSTALLATION
from clipmill_api.queries import users_and_keys
from clipmill_api.tables import TierRow
from clipmill_probe import MediaError, probe_image


def output_policy_of(session: Session, ctx: Context, owner: str) -> OutputPolicy:
    """Return the output policy of an existing user. Raise WatermarkMissing."""
    tier = users_and_keys.owner_tier(session, owner)
    return OutputPolicy.model_validate(
        {
            "tier": tier.name,
            "max_resolution": tier.max_resolution,
            "max_fps": tier.max_fps,
            "encoder": ctx.settings.h264_encoder,
            "watermark": _watermark_layer(ctx, tier),
            "max_lengths_s": dict(ctx.settings.length_limits),
            "refuse_too_long": ctx.settings.refuse_too_long,
        }
    )


def _watermark_layer(ctx: Context, tier: TierRow) -> Layer | None:
    """Return the layer of the installation's watermark; jobs fetch its image from the store."""
    if not tier.apply_watermark:
        return None
    watermark = ctx.settings.watermark
    try:
        sha256 = _store_image(ctx, watermark.path)
    except (OSError, MediaError) as error:
        cause = error.strerror if isinstance(error, OSError) else str(error)
        detail = (
            f"CLIPMILL_WATERMARK: tier {tier.name} requires a watermark, but its image"
            f" {watermark.path.name!r} cannot be read ({cause})"
        )
        raise ApiProblem(422, "WatermarkMissing", detail) from None
    return Layer(
        image=Image(sha256=sha256),
        position=Position(watermark.position),
        size=watermark.size,
        margin=watermark.margin,
        opacity=watermark.opacity,
    )


def _store_image(ctx: Context, path: Path) -> str:
    """Store an image file once and return its sha256. Raise OSError or MediaError."""
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    if not ctx.store.exists(INSTALLATION, sha256):
        probe_image(path)
        ctx.store.put(INSTALLATION, sha256, content)
    return sha256
