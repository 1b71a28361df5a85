"""What a view says of a compilation that waits or runs, and how a refusal explains its estimate."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipmill.protocol import Stage
from clipmill.spec import Manifest
from clipmill_client import PermanentError
from harness import SMALL, Harness, library_clip, new_manifest
from pods import assemble, fetch, url


def test_waiting_and_running(api: Harness, two_seconds: Path) -> None:
    """It is queued until a job of its stage begins; time is first reserved, then used."""
    owner, user = api.user()
    uid, plan = api.register(owner, {"clips": [{"url": url()}]})
    compilation_id = plan.compilation_id

    def facts() -> tuple[object, ...]:
        view = user.compilation(compilation_id)
        (listed,) = user.compilations().items
        assert (listed.reason, listed.reserved_seconds) == (view.reason, view.reserved_seconds)
        return view.state, view.reason, view.reserved_seconds, view.used_seconds

    assert facts() == ("Fetching", "Queued", 60, 0)
    job = api.job(uid, Stage.FETCH)
    job.claim(0, "pod-0")
    assert facts() == ("Fetching", None, 60, 0)
    fetch(job, 0, two_seconds)
    assert facts() == ("Rendering", "Queued", 2, 0)
    job = api.job(uid, Stage.ASSEMBLE)
    job.claim(0, "pod-a")
    assert facts() == ("Rendering", None, 2, 0)
    assemble(api.job(uid, Stage.ASSEMBLE), two_seconds)
    assert facts() == ("Succeeded", None, 0, 2)


def test_cancelled_while_waiting(api: Harness, two_seconds: Path) -> None:
    """What has ended is not queued, and reserves nothing."""
    _, user = api.user()
    view = user.create(new_manifest(library_clip(user, two_seconds).id))
    assert (view.reason, view.reserved_seconds) == ("Queued", 2)
    view = user.cancel(view.id)
    assert (view.reason, view.reserved_seconds) == ("CancelledByOwner", 0)


def manifest_of(count: int, **spec: object) -> Manifest:
    """Return a manifest with so many clips that were never fetched, one of a known length."""
    clips = [{"url": url()} for _ in range(count)]
    return Manifest.model_validate(
        {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": "long"},
            "spec": {"clips": [*clips, {"url": url(), "end": "5s"}], "outputs": [SMALL], **spec},
        }
    )


@pytest.mark.parametrize(
    ("spec", "required", "said"),
    [
        ({}, 2405, "40 clips of unknown length count 60 s each"),
        ({"maxClipDuration": "20s"}, 805, "40 clips of unknown length count 20 s each"),
    ],
)
def test_a_refusal_explains_its_estimate(
    api: Harness, spec: dict[str, str], required: int, said: str
) -> None:
    """It names how many clips count how long, and what to write."""
    _, user = api.user(render_limit_seconds=300)
    with pytest.raises(PermanentError) as refused:
        user.create(manifest_of(40, **spec))
    assert refused.value.facts["estimatedSeconds"] == required
    assert said in refused.value.detail
    assert "maxClipDuration" in refused.value.detail


def test_a_known_length_needs_no_explanation(api: Harness, two_seconds: Path) -> None:
    """A clip of the library has its length."""
    _, user = api.user(render_limit_seconds=1)
    media = library_clip(user, two_seconds)
    with pytest.raises(PermanentError) as refused:
        user.create(new_manifest(media.id))
    assert "unknown length" not in refused.value.detail
