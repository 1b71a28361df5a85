"""Delete a compilation or one of its outputs, because its owner asks for it."""

from __future__ import annotations

from collections.abc import Sequence

from clipmill.protocol import CompilationState, OutputResult
from clipmill.protocol.companion_kinds import COMPANION_FILES
from clipmill_api.compilations.expiration import delete_files, mark_removed
from clipmill_api.compilations.revision_end import RevisionEnd, end_revision
from clipmill_api.compilations.submission import own_compilation
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import compilation_records, media_library, quota_ledger, revisions
from clipmill_api.queries.tombstones import RemovalReason
from clipmill_api.tables import MediaRow


def delete_compilation(session: Session, ctx: Context, owner: str, compilation_id: str) -> None:
    """Delete a compilation with its videos and its resource, after cancelling it if it is active.

    Raises:
        ApiProblem: 404, or 409 InUse while an active compilation plays one of its videos.
    """
    compilation_id = own_compilation(session, owner, compilation_id).id
    quota_ledger.lock_owner(session, owner)
    compilation = compilation_records.lock_compilation(session, compilation_id)
    end = RevisionEnd(CompilationState.CANCELLED, "CancelledByOwner")
    end_revision(session, ctx, compilation, compilation.generation, end)
    files = media_library.list_unreferenced_outputs(session, compilation_id, ())
    _refuse_used(session, files)
    compilation.removal_reason = RemovalReason.COMPILATION_DELETED.value
    mark_removed(session, ctx, compilation, files)


def delete_output(
    session: Session, ctx: Context, owner: str, compilation_id: str, name: str
) -> None:
    """Delete the video of an output with its companion files, of all generations.

    Raises:
        ApiProblem: 404, or 409 InUse while an active compilation plays the video.
    """
    compilation = own_compilation(session, owner, compilation_id)
    quota_ledger.lock_owner(session, owner)
    ids: set[str] = set()
    others: set[str] = set()
    for output in revisions.list_outputs(session, compilation.id):
        of_output = _media_ids(OutputResult.model_validate(output))
        (ids if output["name"] == name else others).update(of_output)
    stored = media_library.media_by_ids(session, owner, ids)
    if not stored:
        raise not_found("output", name)
    # Outputs of the same bytes share their media.
    files = [media for media in stored.values() if media.id not in others]
    _refuse_used(session, files)
    delete_files(session, ctx, files, RemovalReason.OUTPUT_DELETED)


def _media_ids(output: OutputResult) -> set[str]:
    companions = (companion.media_id(output) for companion in COMPANION_FILES)
    return {output.media_id, *filter(None, companions)}


def _refuse_used(session: Session, files: Sequence[MediaRow]) -> None:
    for media in files:
        user = media_library.find_using_compilation(session, media.owner, media.id)
        if user is not None:
            detail = f"media {media.id} is in use by the active compilation {user}"
            raise ApiProblem(409, "InUse", detail, compilation=user)
