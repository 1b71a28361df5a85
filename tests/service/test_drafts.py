"""Drafts: bounded, and a preview asked for again is one that can be watched."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipmill.protocol import CompilationState
from clipmill.spec import PreviewExtent
from clipmill_client.errors import PermanentError
from harness import Harness, library_clip, new_manifest

ACTIVE_DRAFTS = (
    "SELECT count(*) AS n FROM compilations c JOIN revisions r ON r.compilation_id = c.id"
    " AND r.generation = c.generation WHERE c.owner = :o AND r.state = 'Rendering'"
)


def test_drafts_of_an_owner_are_bounded(api: Harness, two_seconds: Path) -> None:
    """The eleventh is refused until one is cancelled; other owners and finished ones count not."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    limit = api.settings.max_drafts
    drafts = [user.create(new_manifest(media.id, quality="Draft")) for _ in range(limit)]
    with pytest.raises(PermanentError) as refused:
        user.create(new_manifest(media.id, quality="Draft"))
    assert (refused.value.status, refused.value.code) == (403, "DraftLimit")
    assert refused.value.facts["limit"] == limit
    assert api.rows(ACTIVE_DRAFTS, o=owner) == [{"n": limit}]
    user.create(new_manifest(media.id))  # not a draft
    other = api.user()[1]
    other.create(new_manifest(library_clip(other, two_seconds).id, quality="Draft"))
    user.cancel(drafts[0].id)
    user.create(new_manifest(media.id, quality="Draft"))


def test_a_cancelled_preview_is_created_again(api: Harness, two_seconds: Path) -> None:
    """The same request returns the active draft, and a new one after its end."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    compilation = user.create(new_manifest(media.id))
    first = user.preview(compilation.id, PreviewExtent.WHOLE)
    assert user.preview(compilation.id, PreviewExtent.WHOLE).id == first.id
    user.cancel(first.id)
    second = user.preview(compilation.id, PreviewExtent.WHOLE)
    assert second.id != first.id
    assert second.state is CompilationState.RENDERING
    assert user.preview(compilation.id, PreviewExtent.WHOLE).id == second.id
    sql = "SELECT compilation_id FROM idempotency WHERE principal = :o AND key LIKE 'preview%'"
    assert api.rows(sql, o=owner) == [{"compilation_id": second.id}]
