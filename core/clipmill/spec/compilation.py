"""The resource: what a person declares. The CRD and `kubectl explain` come from here."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from clipmill.spec.base import Duration, Id, Line, Model, Name, Title, parse_duration, parse_level
from clipmill.spec.picture import Align, ClipCredit, CreatorCard, Fit, Overlays, Panes
from clipmill.spec.soundtrack import Music

MAX_TRANSITIONS = 50
"""Most transition clips of one compilation."""
MAX_CLIPS = 500
"""Most clips of one compilation."""
AUDIO_RATE = 48_000
"""Samples a second everywhere: a whole number of samples per frame at every rate we offer."""
FRAME_RATES = (24, 25, 30, 50, 60, 120)


class OnClipError(StrEnum):
    """What a clip that cannot be had does to the compilation."""

    SKIP = "Skip"
    FAIL = "Fail"
    PLACEHOLDER = "Placeholder"


class TransitionType(StrEnum):
    """How one shot goes over into the next."""

    NONE = "None"
    FADE = "Fade"
    FADE_BLACK = "FadeBlack"
    FADE_WHITE = "FadeWhite"
    DISSOLVE = "Dissolve"
    WIPE_LEFT = "WipeLeft"
    WIPE_RIGHT = "WipeRight"
    WIPE_UP = "WipeUp"
    WIPE_DOWN = "WipeDown"
    SLIDE_LEFT = "SlideLeft"
    SLIDE_RIGHT = "SlideRight"
    SLIDE_UP = "SlideUp"
    SLIDE_DOWN = "SlideDown"
    SMOOTH_LEFT = "SmoothLeft"
    SMOOTH_RIGHT = "SmoothRight"
    CIRCLE_OPEN = "CircleOpen"
    CIRCLE_CLOSE = "CircleClose"
    RADIAL = "Radial"
    PIXELIZE = "Pixelize"


class Quality(StrEnum):
    """Final, or a small and fast preview of the same timeline."""

    FINAL = "Final"
    DRAFT = "Draft"


class PreviewExtent(StrEnum):
    """How much of each clip a draft shows."""

    WHOLE = "Whole"
    FIRST_SECONDS = "FirstSeconds"


class TransitionOrder(StrEnum):
    """Which transition clip comes at which gap."""

    CYCLE = "Cycle"
    RANDOM = "Random"


class TransitionPlacement(StrEnum):
    """Where transition clips stand."""

    BETWEEN_CLIPS = "BetweenClips"
    EVERYWHERE = "Everywhere"


class BumperPlacement(StrEnum):
    """Where the bumper stands: nowhere, in every gap, or after each shot but the outro."""

    NONE = "None"
    BETWEEN = "Between"
    HEAD_STYLE = "HeadStyle"


class Curve(StrEnum):
    """How the sound of one shot goes over into the next."""

    EQUAL_POWER = "EqualPower"
    LINEAR = "Linear"
    SMOOTH = "Smooth"
    EXPONENTIAL = "Exponential"


class Transition(Model):
    """How the shot before goes over into this clip. It takes the place of a transition clip."""

    type: TransitionType = Field(description="None is a hard cut; the others overlap both shots.")
    duration: Duration = Field("500ms", description="How long both shots overlap, 40ms to 10s.")
    curve: Curve = Field(
        Curve.EQUAL_POWER,
        description="How the sound crosses over. EqualPower keeps the loudness of unlike sounds,"
        " Linear and Smooth the level of like ones; Exponential is almost silent in the middle.",
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not Fraction(1, 25) <= parse_duration(self.duration) <= 10:
            raise ValueError(f"duration {self.duration} is not between 40ms and 10s")
        return self


class Clip(Model):
    """One clip: where it comes from, which part of it plays, and how it is entered."""

    name: Name | None = Field(None, description="Name within this compilation; default clip-N.")
    url: Line | None = Field(None, max_length=2000, description="Page or file to fetch, http(s).")
    media_id: Id | None = Field(None, description="A media file of the owner's library.")
    title: Title | None = Field(None, description="Title for reports and chapters.")
    start: Duration | None = Field(None, description="Where the clip starts; default its start.")
    end: Duration | None = Field(None, description="Where the clip ends; default its end.")
    transition: Transition | None = Field(None, description="How this clip is entered.")
    credit: ClipCredit | None = Field(
        None, description="Who made it: for the card and the credits."
    )
    overlays: Overlays = Field([], description="Texts and images over this clip.")

    @model_validator(mode="after")
    def _one_source_in_order(self) -> Self:
        if (self.url is None) == (self.media_id is None):
            both = "both url and mediaId are" if self.url else "neither url nor mediaId is"
            raise ValueError(f"exactly one of url and mediaId must be set; {both} set")
        if self.end is not None and parse_duration(self.end) <= parse_duration(self.start or "0s"):
            raise ValueError(f"end {self.end} must be after start {self.start or '0s'}")
        return self


class Asset(Model):
    """A media file of the owner's library, played whole."""

    media_id: Id = Field(description="The media file.")


class Bumper(Asset):
    """A short clip of the library that sets the shots apart."""

    placement: BumperPlacement = Field(
        BumperPlacement.BETWEEN,
        description="None: nowhere. Between: between every two shots, transition clips too, never"
        " first or last. HeadStyle: after every shot but the outro, and first when there is no"
        " intro.",
    )


class TransitionClips(Model):
    """Transition clips, played between clips, or next to intro and outro as well."""

    media_ids: list[Id] = Field(
        min_length=1, max_length=MAX_TRANSITIONS, description="The transition clips."
    )
    order: TransitionOrder = Field(
        TransitionOrder.CYCLE, description="Cycle: in turn, gap by gap. Random: drawn by the seed."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Random with one seed repeats itself.")
    placement: TransitionPlacement = Field(
        TransitionPlacement.BETWEEN_CLIPS,
        description="BetweenClips: not next to intro or outro. Everywhere: between every two of"
        " intro, clips and outro.",
    )


class Audio(Model):
    """Loudness of the result."""

    loudness: str = Field(
        "-14LUFS",
        pattern=r"^-[0-9]{1,2}(\.[0-9])?LUFS$",
        description="Programme loudness (EBU R128).",
    )
    true_peak: str = Field(
        "-1dBTP", pattern=r"^-[0-9](\.[0-9])?dBTP$", description="Highest true peak allowed."
    )

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if not -40 <= parse_level(self.loudness) <= -5:
            raise ValueError(f"loudness {self.loudness} is not between -40LUFS and -5LUFS")
        return self


class Output(Model):
    """One finished video of the same timeline."""

    name: Name = Field(description="Name of the output; the file is called after it.")
    preset: Literal[
        "youtube",
        "youtube_shorts",
        "tiktok",
        "instagram_feed",
        "instagram_reel",
        "instagram_story",
        "twitter",
        "facebook",
        "twitch",
        "custom",
    ] = Field(description="Platform: its size, rate, bit rate and longest video.")
    width: int | None = Field(
        None, ge=64, le=3840, multiple_of=2, description="custom only: pixels."
    )
    height: int | None = Field(
        None, ge=64, le=3840, multiple_of=2, description="custom only: pixels."
    )
    rate: Literal[24, 25, 30, 50, 60, 120] | None = Field(
        None, description="custom only: frames a second."
    )
    container: Literal["mp4", "webm"] | None = Field(
        None, description="custom only: mp4 (H.264 and AAC, the default) or webm (VP9 and Opus)."
    )
    max_bytes: int | None = Field(
        None, ge=100_000, le=2**40, description="The finished file is never larger than this."
    )
    fit: Fit = Field(
        Fit.CONTAIN,
        description="Pictures of another shape: Contain has black borders, ContainBlur a blurred"
        " background, Cover fills the frame and cuts off.",
    )
    zoom: int = Field(100, ge=100, le=180, description="Clips are enlarged by so many percent.")
    align: Align = Field(Align.CENTER, description="The part kept of a clip wider than the frame.")
    layout: Panes | None = Field(
        None, description="Parts of each clip in parts of the frame, in place of fit and zoom."
    )

    @model_validator(mode="after")
    def _sized(self) -> Self:
        given = [self.width, self.height, self.rate]
        if self.preset == "custom" and None in given:
            raise ValueError("preset custom needs width, height and rate")
        if self.preset != "custom" and given != [None, None, None]:
            raise ValueError(f"width, height and rate belong to preset custom, not {self.preset}")
        if self.preset != "custom" and self.container is not None:
            raise ValueError(f"container belongs to preset custom; {self.preset} takes mp4")
        return self


class CompilationSpec(Model):
    """The wish: which clips, in which order, in which form."""

    owner: Name | None = Field(None, description="Whose quota and library; default: who asks.")
    title: Title | None = Field(None, description="Title written into the finished file.")
    on_clip_error: OnClipError = Field(OnClipError.SKIP, description="Skip, Fail or Placeholder.")
    minimum_clips: int = Field(
        1, ge=1, le=MAX_CLIPS, description="Fewer good clips than this: fail."
    )
    max_clip_duration: Duration | None = Field(
        None, description="Longest part of an untrimmed clip."
    )
    clips: list[Clip] = Field(
        min_length=1, max_length=MAX_CLIPS, description="The clips; their order is the edit."
    )
    intro: Asset | None = Field(None, description="Played first.")
    outro: Asset | None = Field(None, description="Played last.")
    transitions: TransitionClips | None = Field(None, description="Clips played between the clips.")
    bumper: Bumper | None = Field(None, description="A clip that sets the shots apart.")
    music: Music | None = Field(None, description="Music under the programme.")
    audio: Audio = Field(Audio(), description="Loudness of the result.")
    creator_card: CreatorCard = Field(
        CreatorCard(), description="When the card with a clip's credit is shown."
    )
    overlays: Overlays = Field([], description="Texts and images over every clip.")
    quality: Quality = Field(
        Quality.FINAL,
        description="Draft: small and fast, for looking at; it takes nothing of the render time.",
    )
    preview: PreviewExtent = Field(
        PreviewExtent.WHOLE,
        description="Draft only: FirstSeconds shows the first 4 s of each clip.",
    )
    outputs: list[Output] = Field(
        default_factory=lambda: [Output(name="main", preset="youtube")],
        min_length=1,
        max_length=8,
        description="The finished videos, all from one fetch.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.minimum_clips > len(self.clips):
            raise ValueError(
                f"minimumClips {self.minimum_clips} is more than the {len(self.clips)} clips given"
            )
        _unique("clips", [clip_name(self, i) for i in range(len(self.clips))])
        _unique("outputs", [output.name for output in self.outputs])
        if self.preview is not PreviewExtent.WHOLE and self.quality is not Quality.DRAFT:
            raise ValueError(f"preview {self.preview} needs quality Draft")
        first = self.clips[0].transition
        if first and first.type is not TransitionType.NONE and not self._opened():
            raise ValueError(
                "clips[0].transition: nothing plays before the first clip; add an intro"
            )
        return self

    def _opened(self) -> bool:
        """Whether anything plays before the first clip."""
        bumper = self.bumper.placement if self.bumper else BumperPlacement.NONE
        return self.intro is not None or bumper is BumperPlacement.HEAD_STYLE


def _unique(field: str, names: list[str]) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"{field}: the name {doubled[0]!r} is used more than once")


def clip_name(spec: CompilationSpec, position: int) -> str:
    """The clip's name: its own, else clip-N counted from 1."""
    return spec.clips[position].name or f"clip-{position + 1}"


class Metadata(Model):
    """The part of Kubernetes' object metadata that a manifest may give."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore"
    )
    name: Name
    namespace: Name | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Manifest(Model):
    """A `Compilation` as `kubectl apply` takes it."""

    api_version: Literal["clipmill.dev/v1alpha1"]
    kind: Literal["Compilation"]
    metadata: Metadata
    spec: CompilationSpec
