"""Define the Compilation resource. The CRD and `kubectl explain` are generated from its spec."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from clipmill.spec.base import Duration, Model, Name, Title
from clipmill.spec.clip import Asset, Bumper, BumperPlacement, Clip
from clipmill.spec.delivery import Delivery
from clipmill.spec.long_duration import LongDuration
from clipmill.spec.output import Output, PreviewExtent, Quality
from clipmill.spec.picture import CreatorCard, Overlays
from clipmill.spec.soundtrack import Audio, Music
from clipmill.spec.transitions import TransitionClips, TransitionType

MAX_CLIPS = 500


class OnClipError(StrEnum):
    """The effect of a clip that cannot be fetched or played."""

    SKIP = "Skip"
    FAIL = "Fail"
    PLACEHOLDER = "Placeholder"


class CompilationTemplate(Model):
    """The form of a compilation: everything but its clips and its owner."""

    title: Title | None = Field(
        None, description="title is written into the metadata of the video files."
    )
    on_clip_error: OnClipError = Field(
        OnClipError.SKIP,
        description="onClipError is the effect of a clip that cannot be fetched or played. Skip"
        " leaves it out, Fail fails the compilation, Placeholder plays black and silence instead.",
    )
    minimum_clips: int = Field(
        1,
        ge=1,
        le=MAX_CLIPS,
        description="minimumClips is the number of fetched clips below which the compilation"
        " fails.",
    )
    max_clip_duration: Duration | None = Field(
        None, description="maxClipDuration is the longest part that plays of a clip without an end."
    )
    intro: Asset | None = Field(None, description="intro is a video that plays first.")
    outro: Asset | None = Field(None, description="outro is a video that plays last.")
    transitions: TransitionClips | None = Field(
        None, description="transitions are short videos that play between clips."
    )
    bumper: Bumper | None = Field(
        None, description="bumper is a short video that separates clips, such as a logo."
    )
    music: Music | None = Field(
        None, description="music is a track mixed under the whole timeline."
    )
    audio: Audio = Field(Audio(), description="audio is the loudness of the outputs.")
    creator_card: CreatorCard = Field(
        CreatorCard(), description="creatorCard controls the card that shows a clip's credit."
    )
    overlays: Overlays = Field([], description="overlays are texts and images over every clip.")
    quality: Quality = Field(
        Quality.FINAL,
        description="quality is Final, or Draft for a small and fast preview that takes no render"
        " time from the quota.",
    )
    preview: PreviewExtent = Field(
        PreviewExtent.WHOLE,
        description="preview is the part of each clip that a draft shows. FirstSeconds shows the"
        " first 4 s. Requires quality Draft unless Whole.",
    )
    ttl_after_finished: LongDuration | None = Field(
        None,
        description="ttlAfterFinished is how long the compilation is kept once it has ended, such"
        " as 7d. Then it is deleted with its videos. Defaults to the owner's tier, else for ever.",
    )
    delivery: Delivery | None = Field(
        None,
        description="delivery is a bucket of the owner to which finished videos are delivered."
        " Drafts are not.",
    )
    outputs: list[Output] = Field(
        default_factory=lambda: [Output(name="main", preset="youtube")],
        min_length=1,
        max_length=8,
        description="outputs are the video files to produce. Clips are fetched once for all of"
        " them. Defaults to one output main with preset youtube.",
    )

    @model_validator(mode="after")
    def _consistent_form(self) -> Self:
        _refuse_duplicates("outputs", [output.name for output in self.outputs])
        if self.preview is not PreviewExtent.WHOLE and self.quality is not Quality.DRAFT:
            raise ValueError(f"preview {self.preview} needs quality Draft")
        return self


class CompilationSpec(CompilationTemplate):
    """spec is the desired video: its clips, their order, and the outputs."""

    owner: Name | None = Field(
        None,
        description="owner is the user whose library and quota are used. Defaults to the owner of"
        " the namespace or of the API submission, else to the default owner. If set, it must equal"
        " that owner.",
    )
    clips: list[Clip] = Field(
        min_length=1, max_length=MAX_CLIPS, description="clips are the clips in playing order."
    )

    notify: list[Name] | None = Field(
        None,
        max_length=8,
        description="notify are the names of the owner's webhooks that are notified. Defaults to"
        " all webhooks that list the event; empty for none.",
    )

    @model_validator(mode="after")
    def _consistent_clips(self) -> Self:
        if self.minimum_clips > len(self.clips):
            raise ValueError(
                f"minimumClips {self.minimum_clips} is more than the {len(self.clips)} clips given"
            )
        _refuse_duplicates("clips", [clip_name(self, i) for i in range(len(self.clips))])
        transition = self.clips[0].transition
        if (
            transition
            and transition.type is not TransitionType.NONE
            and not self._has_item_before_clips()
        ):
            raise ValueError(
                "clips[0].transition: nothing plays before the first clip; add an intro"
            )
        return self

    def _has_item_before_clips(self) -> bool:
        placement = self.bumper.placement if self.bumper else BumperPlacement.NONE
        return self.intro is not None or placement is BumperPlacement.HEAD_STYLE


def _refuse_duplicates(field: str, names: list[str]) -> None:
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        raise ValueError(f"{field}: the name {duplicates[0]!r} is used more than once")


def clip_name(spec: CompilationSpec, position: int) -> str:
    """Return the name of the clip at a position, counted from 0: its own, else clip-N."""
    return spec.clips[position].name or f"clip-{position + 1}"


class Metadata(Model):
    """The part of Kubernetes' object metadata that a manifest may set."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore"
    )
    name: Name
    namespace: Name | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Manifest(Model):
    """A `Compilation` as `kubectl apply` accepts it."""

    api_version: Literal["clipmill.dev/v1alpha1"]
    kind: Literal["Compilation"]
    metadata: Metadata
    spec: CompilationSpec
