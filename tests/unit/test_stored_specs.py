"""Specs of stored revisions, which are parsed once."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from clipmill_api.compilations.resolution import stored_spec
from clipmill_api.tables import RevisionRow


def revision(compilation_id: str, **columns: object) -> RevisionRow:
    """Return a revision of a spec with one clip."""
    values = {
        "generation": 1,
        "created_at": datetime(2026, 11, 28, tzinfo=UTC),
        "spec": {"title": "first", "clips": [{"mediaId": "m-0001"}]},
    }
    return RevisionRow(compilation_id=compilation_id, **{**values, **columns})


def test_a_spec_is_parsed_once() -> None:
    """Every request reads the same revision, whose row it loads again."""
    name = f"c-{uuid.uuid4().hex}"
    assert stored_spec(revision(name)) is stored_spec(revision(name))
    assert stored_spec(revision(name)).title == "first"


def test_revisions_have_their_own_specs() -> None:
    """Another generation has another one, and also another row of the same number."""
    name = f"c-{uuid.uuid4().hex}"
    stored_spec(revision(name))
    other = {"title": "other", "clips": [{"mediaId": "m-0001"}]}
    later = datetime(2026, 11, 28, tzinfo=UTC) + timedelta(microseconds=1)
    for changed in ({"generation": 2}, {"created_at": later}):
        assert stored_spec(revision(name, spec=other, **changed)).title == "other"
