"""What crosses the wire between API, operator, jobs and clients.

In: JSON bodies, camelCase, unknown fields are refused. Out: validated, frozen models, snake_case.
"""

from __future__ import annotations

from clipmill.protocol.account_views import Account, TierView, Usage, UserView
from clipmill.protocol.assignments import (
    Assignment,
    Claim,
    FetchAssignment,
    MusicMix,
    OutputAssignment,
    Stage,
)
from clipmill.protocol.compilation_plan import (
    TERMINAL_STATES,
    ClipState,
    ClipStatus,
    CompilationState,
    MusicPlan,
    OutputPlan,
    Plan,
    QuotaEffect,
    TaskCounts,
    TimelineItem,
)
from clipmill.protocol.compilation_views import (
    CompilationPage,
    CompilationView,
    PreviewRequest,
    UsedIn,
)
from clipmill.protocol.encoding_profile import Container, Encoder, OutputPolicy, Profile
from clipmill.protocol.layers import Caption, Card, Framing, Image, Layer, LayerWindow
from clipmill.protocol.media_file import AudioTrack, Media, MediaFacts, MediaKind, MediaPage
from clipmill.protocol.operator_messages import (
    ActiveCompilation,
    FailedTasks,
    KeyReply,
    KeyRequest,
    RegisteredPlan,
    Registration,
    StageKey,
    Submission,
    SubmissionAction,
    SubmissionRefusal,
)
from clipmill.protocol.problem import Problem
from clipmill.protocol.result_record import (
    Chapter,
    CreditEntry,
    ItemKind,
    MusicTrack,
    PlayedItem,
    ResultRecord,
)
from clipmill.protocol.segment_content import Segment, SegmentCounts, SourceRange, StillPicture
from clipmill.protocol.task_reports import (
    CANARY_UNRESOLVED,
    ISOLATION_FAILURES,
    NOT_ISOLATED,
    Directive,
    ExitCode,
    Heartbeat,
    HeartbeatReply,
    OutputResult,
    TaskFailure,
    TaskResult,
)
from clipmill.protocol.upload_messages import Upload, UploadPurpose, UploadRequest

__all__ = [
    "CANARY_UNRESOLVED",
    "ISOLATION_FAILURES",
    "NOT_ISOLATED",
    "TERMINAL_STATES",
    "Account",
    "ActiveCompilation",
    "Assignment",
    "AudioTrack",
    "Caption",
    "Card",
    "Chapter",
    "Claim",
    "ClipState",
    "ClipStatus",
    "CompilationPage",
    "CompilationState",
    "CompilationView",
    "Container",
    "CreditEntry",
    "Directive",
    "Encoder",
    "ExitCode",
    "FailedTasks",
    "FetchAssignment",
    "Framing",
    "Heartbeat",
    "HeartbeatReply",
    "Image",
    "ItemKind",
    "KeyReply",
    "KeyRequest",
    "Layer",
    "LayerWindow",
    "Media",
    "MediaFacts",
    "MediaKind",
    "MediaPage",
    "MusicMix",
    "MusicPlan",
    "MusicTrack",
    "OutputAssignment",
    "OutputPlan",
    "OutputPolicy",
    "OutputResult",
    "Plan",
    "PlayedItem",
    "PreviewRequest",
    "Problem",
    "Profile",
    "QuotaEffect",
    "RegisteredPlan",
    "Registration",
    "ResultRecord",
    "Segment",
    "SegmentCounts",
    "SourceRange",
    "Stage",
    "StageKey",
    "StillPicture",
    "Submission",
    "SubmissionAction",
    "SubmissionRefusal",
    "TaskCounts",
    "TaskFailure",
    "TaskResult",
    "TierView",
    "TimelineItem",
    "Upload",
    "UploadPurpose",
    "UploadRequest",
    "Usage",
    "UsedIn",
    "UserView",
]
