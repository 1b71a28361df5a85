"""The database of a stored release is upgraded, and everything in it can still be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipmill.protocol import CompilationState
from harness import running
from manifests import ROOT
from stored_release import restore_release

RELEASES = sorted(path.parent for path in (ROOT / "tests/releases").glob("*/clipmill.sql"))


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_compilations_media_and_usage_survive_an_upgrade(release: Path, tmp_path: Path) -> None:
    """A compilation that an earlier release rendered is complete in the API of this one."""
    owner = restore_release(release.name, tmp_path)
    with running(tmp_path) as api:
        user = api.client(api.admin.create_key(owner))
        (summary,) = user.compilations().items
        compilation = user.compilation(summary.id)
        plan = user.plan(summary.id)
        library = user.library().items
        assert compilation.state is CompilationState.SUCCEEDED
        assert [output.frames for output in compilation.outputs] == [141]
        assert plan.outputs[0].frames == 141
        assert {media.kind.value for media in library} >= {"clip", "intro", "compilation"}
        assert [usage.seconds for usage in user.usage()] == [5]
