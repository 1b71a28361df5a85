"""Every model that crosses a process border: the resource, orders to pods, their answers.

camelCase outside, snake_case inside; frozen; unknown fields refused. The CRD comes from here.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from clipmill.layers import Card, Framing, Image, Layer, Profile, Terms, Window, Words
from clipmill.model import (
    DURATION_PATTERN,
    MOST,
    Duration,
    Id,
    Line,
    Model,
    Name,
    Said,
    Sha256,
    Title,
    level,
    seconds,
)
from clipmill.picture import (
    Align,
    CreatorCard,
    Credit,
    Fit,
    Overlay,
    Overlays,
    Pane,
    Panes,
    Position,
    Rect,
)
from clipmill.record import Chapter, Record
from clipmill.record import Credit as CreditEntry
from clipmill.record import Kind as ShotKind
from clipmill.soundtrack import Duck, Music

MAX_CLIPS = 500
"""Most clips of one compilation."""
AUDIO_RATE = 48_000
"""Samples a second everywhere: a whole number of samples per frame at every rate we offer."""
FRAME_RATES = (24, 25, 30, 50, 60, 120)


# --- the resource ---------------------------------------------------------------------------------


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


class Extent(StrEnum):
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
        if not Fraction(1, 25) <= seconds(self.duration) <= 10:
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
    credit: Credit | None = Field(None, description="Who made it: for the card and the credits.")
    overlays: Overlays = Field([], description="Texts and images over this clip.")

    @model_validator(mode="after")
    def _one_source_in_order(self) -> Self:
        if (self.url is None) == (self.media_id is None):
            both = "both url and mediaId are" if self.url else "neither url nor mediaId is"
            raise ValueError(f"exactly one of url and mediaId must be set; {both} set")
        if self.end is not None and seconds(self.end) <= seconds(self.start or "0s"):
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


class Transitions(Model):
    """Transition clips, played between clips, or next to intro and outro as well."""

    media_ids: list[Id] = Field(min_length=1, max_length=50, description="The transition clips.")
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
        if not -40 <= level(self.loudness) <= -5:
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
    transitions: Transitions | None = Field(None, description="Clips played between the clips.")
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
    preview: Extent = Field(
        Extent.WHOLE, description="Draft only: FirstSeconds shows the first 4 s of each clip."
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
        if self.preview is not Extent.WHOLE and self.quality is not Quality.DRAFT:
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


# --- media ----------------------------------------------------------------------------------------


class MediaKind(StrEnum):
    """What a media file is for."""

    CLIP = "clip"
    INTRO = "intro"
    OUTRO = "outro"
    TRANSITION = "transition"
    BUMPER = "bumper"
    MUSIC = "music"
    IMAGE = "image"
    COMPILATION = "compilation"
    THUMBNAIL = "thumbnail"
    STORYBOARD = "storyboard"
    STORYBOARD_CUES = "storyboard_cues"
    CHAPTERS = "chapters"
    CREDITS = "credits"
    MANIFEST = "manifest"


class MediaFacts(Model):
    """What one full decode of a media file found. Times in microseconds."""

    format: str = Field(
        description="ffmpeg demuxer, e.g. `mov` or `matroska`; forced when reading."
    )
    duration_us: int = Field(ge=0)
    width: int = Field(
        0, ge=0, description="pixels as shown, after rotation and pixel aspect; 0: sound alone"
    )
    height: int = Field(0, ge=0)
    rate: str = Field("", description="average frame rate as a fraction, e.g. `30000/1001`")
    frames: int = Field(0, ge=0)
    video_codec: str | None = None
    audio_codec: str | None = None
    loudness_lufs: float | None = Field(
        None, description="integrated (EBU R128); None: silent or none"
    )
    true_peak_dbtp: float | None = None
    title: Title | None = Field(None, description="of a file of sound alone, from its tags")
    artist: Title | None = None
    license: Title | None = None


class Media(Model):
    """One media file of a library."""

    id: Id
    kind: MediaKind
    filename: str
    size_bytes: int
    sha256: Sha256
    facts: MediaFacts | None = None
    clip_key: str | None = None
    thumbnail_id: Id | None = Field(None, description="a picture of it, for fetched clips")
    created_at: str


# --- orders: what a pod is asked to do ------------------------------------------------------------


class Stage(StrEnum):
    """The three kinds of job."""

    FETCH = "fetch"
    RENDER = "render"
    ASSEMBLE = "assemble"


class Cut(Model):
    """A stretch of one source, in frames of the output rate, with its gain."""

    media_id: Id | None = Field(description="None: a placeholder, black and silent")
    sha256: str
    format: str
    has_audio: bool
    width: int = 0
    height: int = 0
    start: int = Field(ge=0, description="first frame")
    frames: int = Field(ge=1)
    gain_mb: int = Field(0, description="gain in hundredths of a decibel")
    framing: Framing = Framing()
    layers: list[Layer] = Field([], description="drawn over the picture, the first lowest")


class Piece(Model):
    """A body (one cut) or a seam (a crossfade of two cuts of equal length), named by content."""

    key: Sha256
    cuts: list[Cut] = Field(min_length=1, max_length=2)
    type: TransitionType = TransitionType.NONE
    curve: Curve = Curve.EQUAL_POWER
    profile: Profile
    watermark: Layer | None = Field(None, description="over everything, all the time")

    @property
    def frames(self) -> int:
        """Length in frames of the output rate."""
        return self.cuts[0].frames

    def layers(self) -> tuple[Layer, ...]:
        """Everything to be drawn for it: each cut's layers in turn, then the watermark."""
        mark = (self.watermark,) if self.watermark else ()
        return (*(layer for cut in self.cuts for layer in cut.layers), *mark)


class FetchOrder(Model):
    """Fetch one clip, check it, send it up."""

    clip_id: Id
    name: str
    url: str
    limit_bytes: int
    limit_s: int
    allowed_hosts: list[str]
    allowed_private: list[str] = Field(
        description="host:port that may be private, by explicit setting"
    )
    allow_any_host: bool = False


class MusicOrder(Model):
    """Music to mix in, in samples of the output."""

    media_id: Id
    sha256: str
    format: str
    gain_mb: int = Field(description="gain in hundredths of a decibel")
    start: int = Field(ge=0, description="first sample")
    end: int = Field(ge=1, description="one past the last sample")
    loop: bool
    fade: int = Field(ge=0, description="samples of the fade-out")
    duck: Duck


class OutputOrder(Model):
    """One output to assemble: its pieces in order and which of them exist already."""

    name: str
    pieces: list[Piece]
    existing: list[Sha256] = []
    title: str | None = None
    loudness_lufs: float
    true_peak_dbtp: float
    max_bytes: int | None = Field(None, description="largest file; None: any")
    audio_bitrate: int = Field(192_000, description="bit/s of the finished sound")
    music: MusicOrder | None = None
    record: Record = Field(Record(), description="what it is made of, for all that comes with it")


class Order(Model):
    """What one part of a job is to do, under a lease. Exactly one of the three is set."""

    compilation_id: Id
    generation: int
    stage: Stage
    index: int
    epoch: int = Field(description="fencing token: a later claim raises it and ends this one")
    lease_s: int
    canaries: list[str] = Field(
        [], description="host:port that this pod must not reach; one that answers ends it"
    )
    fetch: FetchOrder | None = None
    render: list[Piece] | None = None
    assemble: list[OutputOrder] | None = None


class Claim(Model):
    """A pod takes its part. `holder` names the process, so that a repeat is the same claim."""

    index: int = Field(0, ge=0, le=100_000)
    holder: Line = Field(min_length=1, max_length=100)


class Heartbeat(Model):
    """Progress and log lines in one call, at most every 2 s."""

    index: int = Field(ge=0, le=MOST)
    epoch: int = Field(ge=1, le=MOST)
    percent: int = Field(ge=0, le=100)
    message: Said = Field("", max_length=300)
    log: list[Annotated[Said, Field(max_length=1000)]] = Field([], max_length=100)


class Directive(StrEnum):
    """What the API answers to a heartbeat."""

    CONTINUE = "Continue"
    STOP = "Stop"


class HeartbeatReply(Model):
    """Go on or leave, and why."""

    directive: Directive
    reason: str = ""
    lease_s: int


NOT_ISOLATED = "NotIsolated"
"""Code of a pod that could reach what it must not: the whole generation fails."""


class ClipFailure(Model):
    """Why a clip could not be had. `permanent` decides between giving up and trying again."""

    code: Line = Field(max_length=60, description="stable, PascalCase, e.g. Truncated")
    message: Said = Field(max_length=500)
    permanent: bool = True


class UploadPurpose(StrEnum):
    """What an upload becomes when it is complete."""

    CLIP = "clip"
    PIECE = "piece"
    OUTPUT = "output"
    LIBRARY = "library"


class UploadRequest(Model):
    """Announces an upload: how many bytes, which sha256, and what it is to become."""

    purpose: UploadPurpose
    kind: MediaKind | None = Field(None, description="library and output uploads: what it is")
    filename: Line = Field(min_length=1, max_length=255)
    size_bytes: int = Field(ge=1, le=MOST)
    sha256: Sha256
    clip_id: Id | None = None
    piece_key: Sha256 | None = None
    output: Name | None = None
    index: int = Field(0, ge=0, le=MOST)
    epoch: int | None = Field(None, ge=1, le=MOST, description="the claim's; required of a job")


class Upload(Model):
    """A running or finished upload."""

    id: Id
    offset: int
    size_bytes: int
    complete: bool
    media_id: Id | None = None
    piece_key: Sha256 | None = None


class PieceCounts(Model):
    """How many pieces a result has, and where they came from."""

    total: int = 0
    reused: int = 0
    rendered: int = 0


class OutputResult(Model):
    """One finished output, as its job measured it."""

    name: str
    container: Literal["mp4", "webm"] = "mp4"
    media_id: Id
    thumbnail_id: Id | None = None
    storyboard_id: Id | None = None
    storyboard_cues_id: Id | None = None
    chapters_id: Id | None = None
    credits_id: Id | None = None
    manifest_id: Id | None = None
    frames: int = Field(ge=1)
    duration_us: int = Field(ge=1)
    size_bytes: int = 0
    sha256: str = ""
    loudness_lufs: float | None = None
    pieces: PieceCounts = PieceCounts()
    spent_s: dict[str, float] = Field({}, description="wall seconds by step")


class Result(Model):
    """The end of one part. `outputs` when an assemble succeeded, `failure` when it failed."""

    index: int = Field(0, ge=0, le=MOST)
    epoch: int = Field(ge=1, le=MOST)
    outputs: list[OutputResult] = []
    failure: ClipFailure | None = None


# --- plan and status: what people and the operator read -------------------------------------------


class State(StrEnum):
    """States of one generation. The last four are ends and never move again."""

    PENDING = "Pending"
    FETCHING = "Fetching"
    RENDERING = "Rendering"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    SUPERSEDED = "Superseded"


ENDS = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.SUPERSEDED})


class ClipState(StrEnum):
    """States of one clip of one generation."""

    WAITING = "Waiting"
    READY = "Ready"
    SKIPPED = "Skipped"


class ClipStatus(Model):
    """One clip of the plan."""

    id: Id
    name: str
    state: ClipState
    media_id: Id | None = None
    reason: str | None = Field(None, description="stable code, when skipped")
    message: str | None = None
    reused: bool = False
    url: str | None = None
    note: str | None = Field(None, description="e.g. that a private address is let in by a setting")


class Entry(Model):
    """One line of the timeline, in frames of the output rate."""

    kind: ShotKind
    name: str
    media_id: Id | None
    at: int = Field(description="first frame within the output")
    start: int = Field(description="first frame within the source")
    frames: int
    enters: TransitionType = TransitionType.NONE
    curve: Curve = Curve.EQUAL_POWER
    overlap: int = 0


class MusicPlan(Model):
    """Where the music of an output plays, in frames of the output rate."""

    media_id: Id
    at: int
    frames: int


class OutputPlan(Model):
    """What one output will be."""

    name: str
    profile: Profile
    frames: int
    exact: bool = Field(description="False while a clip's length is an estimate")
    entries: list[Entry]
    music: MusicPlan | None = None
    chapters: list[Chapter] = []
    credits: list[CreditEntry] = []
    notes: list[str] = []
    pieces: PieceCounts


class QuotaEffect(Model):
    """What a compilation takes of the month's render time. None as limit: no limit."""

    estimated_seconds: int
    remaining_seconds: int | None
    limit_seconds: int | None


class PartCounts(Model):
    """How many parts a stage has. They keep their numbers for the life of a generation."""

    fetch: int = Field(0, description="one for each clip that had to be fetched at the start")
    render: int = Field(0, description="0 until all clips are here")


class Plan(Model):
    """What would happen, or what is happening, to one generation."""

    compilation_id: Id | None
    generation: int
    state: State
    reason: str | None = None
    message: str | None = None
    clips: list[ClipStatus]
    outputs: list[OutputPlan]
    quota: QuotaEffect
    percent: int = 0
    pieces: PieceCounts = Field(
        PieceCounts(), description="of all outputs; reused: those that existed when rendering began"
    )
    results: list[OutputResult] = []
    parts: PartCounts = PartCounts()
    to_fetch: list[int] = Field([], description="fetch parts whose clips are still to be had")


class CompilationView(Model):
    """A compilation as its owner reads it."""

    id: Id
    name: str
    namespace: str
    owner: str
    generation: int
    state: State
    stage: Stage | None = None
    percent: int = 0
    reason: str | None = None
    message: str | None = None
    degraded: bool = False
    clips: list[ClipStatus]
    outputs: list[OutputResult] = []
    log: list[str] = []
    created_at: str
    completed_at: str | None = None


class Active(CompilationView):
    """A compilation that has not ended, as the operator sees it: with the resource's uid."""

    uid: str


class PreviewRequest(Model):
    """Asks for a draft of a compilation."""

    extent: Extent = Field(
        Extent.FIRST_SECONDS, description="Whole, or the first 4 s of each clip."
    )


class Page(Model):
    """One page of compilations, newest first; `next` asks for the one after."""

    items: list[CompilationView]
    next: str | None = None


class MediaPage(Model):
    """One page of a media library, newest first."""

    items: list[Media]
    next: str | None = None


class Registration(Model):
    """What the operator (or the local run) says of a resource: identity, generation, wish."""

    namespace: Name
    name: Name
    generation: int = Field(ge=1, le=MOST)
    owner: Name = Field(description="decided by the operator from the namespace and the spec")
    spec: CompilationSpec
    submission: Id | None = Field(
        None, description="the compilation that the API was asked for, which this resource is"
    )


class Wanted(StrEnum):
    """What the API's users want done to a resource."""

    APPLY = "Apply"
    DELETE = "Delete"


class Submission(Model):
    """A resource that is to be made, changed or deleted, since the API was asked to."""

    id: Id = Field(description="of the compilation; the resource carries it")
    uid: str = Field(description="the resource's, or a stand-in until there is one")
    wanted: Wanted
    namespace: Name
    name: Name
    owner: Name
    spec: CompilationSpec


class Refusal(Model):
    """Why a submission cannot become a resource."""

    reason: str = Field(max_length=60, description="stable, PascalCase")
    message: str = Field(max_length=500)


class KeyRequest(Model):
    """Asks for the key of one stage of one generation."""

    stage: Stage
    generation: int = Field(ge=1, le=MOST)


class KeyReply(Model):
    """A fresh key. It is shown once and kept as a hash."""

    key: str


class FailedParts(Model):
    """Parts of a stage that ended without a word from their pods, after all retries."""

    stage: Stage
    generation: int = Field(ge=1, le=MOST)
    indexes: list[int] = Field(max_length=MAX_CLIPS)
    reason: Line = Field("", max_length=60, description="stable, PascalCase; default by the stage")
    message: Said = Field(max_length=500)


class UsedIn(Model):
    """One result that plays a media file, and as what."""

    compilation_id: Id
    name: str
    generation: int
    output: str
    media_id: Id = Field(description="the result's video")
    kind: ShotKind | Literal["music"]
    created_at: str


class Account(Model):
    """What an owner may use and has used. None as limit: no limit; 0: nothing."""

    owner: Name
    tier: str
    storage_used_bytes: int
    storage_limit_bytes: int | None
    render_used_seconds: int
    render_reserved_seconds: int
    render_limit_seconds: int | None
    month: str


class Usage(Model):
    """Render time of one finished generation: there is one such row for each."""

    compilation_id: Id
    generation: int
    seconds: int
    created_at: str


class TierView(Model):
    """A tier as an administrator reads and writes it. None: no limit."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9 _-]{0,99}$")
    storage_limit_bytes: int | None = Field(None, ge=0, le=MOST)
    render_limit_seconds: int | None = Field(None, ge=0, le=MOST)
    apply_watermark: bool = False
    max_resolution: Literal["720p", "1080p", "1440p", "2160p"] | None = None
    max_fps: int | None = Field(None, ge=1, le=1000)
    max_clips: int | None = Field(None, ge=0, le=MOST)


class UserView(Model):
    """A user as an administrator reads and writes it."""

    name: Name
    tier: str


class Problem(BaseModel):
    """RFC 9457 problem details, with our stable `code` and the facts behind it."""

    model_config = ConfigDict(extra="allow")
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str


class ExitCode:
    """Exit codes of a job's process: the Job's podFailurePolicy reads them (64-79: give up)."""

    OK = 0
    RETRY = 1
    GIVE_UP = 64
    LEASE_LOST = 65
    NOT_ISOLATED = 66


__all__ = [
    "DURATION_PATTERN",
    "MOST",
    "Align",
    "Card",
    "CreatorCard",
    "Credit",
    "Duration",
    "Fit",
    "Framing",
    "Id",
    "Image",
    "Layer",
    "Line",
    "Model",
    "Name",
    "Overlay",
    "Pane",
    "Position",
    "Profile",
    "Rect",
    "Said",
    "Sha256",
    "Terms",
    "Title",
    "Window",
    "Words",
    "level",
    "seconds",
]
