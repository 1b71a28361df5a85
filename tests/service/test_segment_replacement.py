"""A job that found a stored segment broken may replace exactly its bytes, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipmill.protocol import MediaKind, Stage, TaskFailure, TaskResult, UploadPurpose
from clipmill_client import Client, PermanentError
from clipmill_client.transfer import sha256_of
from harness import Harness
from pods import announcement


class Stored:
    """A stored segment of an owner, and the claim of an assemble task that joins it."""

    def __init__(self, api: Harness, clip: Path, broken: Path) -> None:
        self.api = api
        self.owner, user = api.user()
        self.spec = {"clips": [{"mediaId": user.upload_media(clip, MediaKind.CLIP).id}]}
        self.uid, _ = api.register(self.owner, self.spec)
        job, epoch = self.claim()
        request = announcement(broken, UploadPurpose.SEGMENT, segment_key=self.key, epoch=epoch)
        job.upload(broken, request)
        failure = TaskFailure(code="Interrupted", message="", permanent=False)
        job.result(TaskResult(epoch=epoch, failure=failure))

    def claim(self) -> tuple[Client, int]:
        """Claim the assemble task."""
        job = self.api.job(self.uid, Stage.ASSEMBLE)
        assignment = job.claim(0, "pod")
        assert assignment.assemble
        self.key = assignment.assemble[0].segments[0].key
        return job, assignment.epoch

    def replace(self, path: Path, replaces: str | None) -> None:
        """Upload a file as the segment by a later claim."""
        job, epoch = self.claim()
        key = {"segment_key": self.key, "epoch": epoch, "replaces": replaces}
        job.upload(path, announcement(path, UploadPurpose.SEGMENT, **key))

    def sha256(self) -> str:
        """Return the SHA-256 of the bytes that are stored."""
        sql = "SELECT sha256 FROM segments WHERE owner = :o AND key = :k"
        return str(self.api.rows(sql, o=self.owner, k=self.key)[0]["sha256"])

    def tombstones(self) -> dict[str, str]:
        """Return the reasons of the owner's tombstones, by SHA-256."""
        sql = "SELECT sha256, reason FROM tombstones WHERE owner = :o"
        return {row["sha256"]: row["reason"] for row in self.api.rows(sql, o=self.owner)}


@pytest.fixture
def stored(api: Harness, two_seconds: Path, three_seconds: Path) -> Stored:
    """A segment with the bytes of `three_seconds`."""
    return Stored(api, two_seconds, three_seconds)


def test_the_named_bytes_are_replaced(
    stored: Stored, two_seconds: Path, three_seconds: Path
) -> None:
    """The old ones wait for their deletion."""
    stored.replace(two_seconds, sha256_of(three_seconds))
    assert stored.sha256() == sha256_of(two_seconds)
    assert stored.tombstones() == {sha256_of(three_seconds): "segment-replaced"}


def test_other_bytes_are_not_replaced(
    stored: Stored, two_seconds: Path, three_seconds: Path
) -> None:
    """Another job was faster: its segment stays."""
    stored.replace(two_seconds, "0" * 64)
    assert stored.sha256() == sha256_of(three_seconds)
    assert stored.tombstones() == {sha256_of(two_seconds): "upload-duplicate"}


def test_a_stored_segment_is_not_uploaded_without_naming_it(
    stored: Stored, two_seconds: Path
) -> None:
    """The task is to upload missing segments only."""
    with pytest.raises(PermanentError) as refused:
        stored.replace(two_seconds, None)
    assert (refused.value.status, refused.value.code) == (403, "Forbidden")


def test_a_segment_of_another_task_is_not_replaced(
    stored: Stored, api: Harness, two_seconds: Path, three_seconds: Path
) -> None:
    """Of the same owner, too."""
    spec = {"clips": [{**stored.spec["clips"][0], "end": "1s"}]}
    uid, _ = api.register(stored.owner, spec)
    job = api.job(uid, Stage.ASSEMBLE)
    epoch = job.claim(0, "pod").epoch
    key = {"segment_key": stored.key, "epoch": epoch, "replaces": sha256_of(three_seconds)}
    with pytest.raises(PermanentError) as refused:
        job.upload(two_seconds, announcement(two_seconds, UploadPurpose.SEGMENT, **key))
    assert refused.value.code == "Forbidden"
    assert stored.sha256() == sha256_of(three_seconds)
