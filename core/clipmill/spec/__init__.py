"""The models of the Compilation resource, from which the CRD is generated.

In: a manifest as a person writes it. Out: validated, frozen models that all other packages read.
"""

from __future__ import annotations

from clipmill.spec.base import (
    DURATION_PATTERN,
    MAX_SAFE_INTEGER,
    Duration,
    Id,
    Line,
    Model,
    Name,
    SanitizedLine,
    Sha256,
    Title,
    canonical_duration,
    parse_duration,
    parse_level,
)
from clipmill.spec.clip import Asset, Bumper, BumperPlacement, Clip
from clipmill.spec.compilation import (
    MAX_CLIPS,
    CompilationSpec,
    Manifest,
    Metadata,
    OnClipError,
    clip_name,
)
from clipmill.spec.output import AUDIO_RATE, FRAME_RATES, Output, PreviewExtent, Quality
from clipmill.spec.picture import (
    Align,
    ClipCredit,
    CreatorCard,
    Fit,
    Focus,
    Overlay,
    Pane,
    Position,
    Rect,
)
from clipmill.spec.soundtrack import (
    Audio,
    ClipAudio,
    Ducking,
    Music,
    MusicCredit,
    MusicEnd,
    MusicStart,
)
from clipmill.spec.transitions import (
    Curve,
    Transition,
    TransitionClips,
    TransitionOrder,
    TransitionPlacement,
    TransitionType,
)

__all__ = [
    "AUDIO_RATE",
    "DURATION_PATTERN",
    "FRAME_RATES",
    "MAX_CLIPS",
    "MAX_SAFE_INTEGER",
    "Align",
    "Asset",
    "Audio",
    "Bumper",
    "BumperPlacement",
    "Clip",
    "ClipAudio",
    "ClipCredit",
    "CompilationSpec",
    "CreatorCard",
    "Curve",
    "Ducking",
    "Duration",
    "Fit",
    "Focus",
    "Id",
    "Line",
    "Manifest",
    "Metadata",
    "Model",
    "Music",
    "MusicCredit",
    "MusicEnd",
    "MusicStart",
    "Name",
    "OnClipError",
    "Output",
    "Overlay",
    "Pane",
    "Position",
    "PreviewExtent",
    "Quality",
    "Rect",
    "SanitizedLine",
    "Sha256",
    "Title",
    "Transition",
    "TransitionClips",
    "TransitionOrder",
    "TransitionPlacement",
    "TransitionType",
    "canonical_duration",
    "clip_name",
    "parse_duration",
    "parse_level",
]
