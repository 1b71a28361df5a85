"""What an announcement of an upload must say, by its purpose and the role of its caller."""

from __future__ import annotations

from clipmill.protocol import MediaKind, UploadPurpose, UploadRequest
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.settings import Settings
from clipmill_api.tasks.task_scope import RENDERED_KINDS

_MAY_BE_BROKEN = (MediaKind.CLIP, MediaKind.IMAGE)


def refuse_forbidden(settings: Settings, principal: Principal, request: UploadRequest) -> None:
    """Refuse an announcement that names what its caller may not upload. Raises 403, 413 or 422."""
    limit, purpose = settings.max_upload_bytes, request.purpose
    if request.size_bytes > limit:
        detail = f"sizeBytes: {request.size_bytes} exceeds the limit of {limit} bytes"
        raise ApiProblem(413, "TooLarge", detail, limitBytes=limit)
    if (purpose is UploadPurpose.LIBRARY) != (principal.role == "user"):
        detail = f"purpose: a key with the role {principal.role} may not upload {purpose} files"
        raise ApiProblem(403, "Forbidden", detail)
    missing = _missing_field(request)
    if missing:
        detail = f"{missing}: required for the purpose {purpose}"
        raise ApiProblem(422, "Invalid", detail, field=missing)
    if purpose is UploadPurpose.LIBRARY and request.kind in RENDERED_KINDS:
        detail = f"kind: {request.kind} is uploaded by jobs only"
        raise ApiProblem(422, "Invalid", detail, field="kind")
    may_be_broken = purpose is UploadPurpose.LIBRARY and request.kind in _MAY_BE_BROKEN
    if request.keep_broken and not may_be_broken:
        detail = f"keepBroken: true is for clips and images of the library, not for {purpose} files"
        raise ApiProblem(422, "Invalid", detail, field="keepBroken")
    if not request.size_bytes and not request.keep_broken:
        detail = "sizeBytes: 0: the file is empty"
        raise ApiProblem(422, "Invalid", detail, field="sizeBytes")


def _missing_field(request: UploadRequest) -> str | None:
    epoch, kind = request.epoch, request.kind
    required: dict[UploadPurpose, dict[str, object]] = {
        UploadPurpose.CLIP: {"clipId": request.clip_id, "epoch": epoch},
        UploadPurpose.SEGMENT: {"segmentKey": request.segment_key, "epoch": epoch},
        UploadPurpose.OUTPUT: {"output": request.output, "kind": kind, "epoch": epoch},
        UploadPurpose.LIBRARY: {"kind": kind},
    }
    return next((name for name, value in required[request.purpose].items() if value is None), None)
