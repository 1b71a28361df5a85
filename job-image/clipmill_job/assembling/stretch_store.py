"""Encoded stretches of sound that the API stores like segments, for the next edit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clipmill.ffmpeg.programme_loudness import GAIN_HYSTERESIS_DB
from clipmill.protocol import OutputAssignment, UploadPurpose, UploadRequest
from clipmill.sound.sound_stretches import SoundStretch, stored_sound_keys
from clipmill_client.errors import ClientError
from clipmill_client.transfer import sha256_of
from clipmill_job.assembling.stretch_encoding import EncodedLevels, EncodedStretch
from clipmill_job.errors import is_lease_lost
from clipmill_job.rendering.attached_levels import attach, attached
from clipmill_job.task_context import TaskContext


@dataclass(frozen=True, slots=True)
class StretchStore:
    """Stored stretches of one output. Without them, all sound is encoded again."""

    context: TaskContext
    output: OutputAssignment
    folder: Path

    def load(self, stretches: Sequence[SoundStretch]) -> dict[str, EncodedStretch]:
        """Return those of the stretches that are stored, by key."""
        existing = set(self.output.existing)
        loaded = (self._load(stretch) for stretch in stretches if stretch.key in existing)
        return {each.stretch.key: each for each in loaded if each}

    def _load(self, stretch: SoundStretch) -> EncodedStretch | None:
        self.context.heartbeat.check()
        path = self.folder / f"{stretch.key}.stored"
        try:
            stored = self.output.existing_files.get(stretch.key)
            self.context.client.download_segment(stretch.key, path, stored)
        except ClientError as error:
            if is_lease_lost(error):
                raise
            return None
        encoded = attached(path, EncodedLevels)
        return EncodedStretch(stretch, path, encoded) if encoded else None

    def save(self, encoded: Sequence[EncodedStretch], stored: dict[str, EncodedStretch]) -> None:
        """Upload the stretches that are not stored at this gain. The output does not depend on it.

        Raises:
            ClientError: The task's lease is lost.
        """
        if not stored_sound_keys(self.output):
            return
        keys = {key for o in self.context.assignment.assemble or [] for key in stored_sound_keys(o)}
        for each in encoded:
            last = stored.get(each.stretch.key)
            if each is last or each.stretch.key not in keys:
                continue
            try:
                self._upload(each, sha256_of(last.path) if last else None)
            except ClientError as error:
                if is_lease_lost(error):
                    raise
                line = f"{self.output.name}: encoded sound was not stored: {error}"
                self.context.heartbeat.report(0, line[:300])
                return

    def _upload(self, each: EncodedStretch, replaces: str | None) -> None:
        attach(each.path, each.encoded)
        request = UploadRequest(
            purpose=UploadPurpose.SEGMENT,
            filename=f"{each.stretch.key}.mka",
            size_bytes=each.path.stat().st_size,
            sha256=sha256_of(each.path),
            segment_key=each.stretch.key,
            replaces=replaces,
            index=self.context.assignment.index,
            epoch=self.context.assignment.epoch,
        )
        self.context.client.upload(each.path, request)


def stored_gain(stored: dict[str, EncodedStretch], ideal_db: float) -> float | None:
    """Return the gain of most stored stretches, if it was chosen for about the same programme."""
    near = (
        each.encoded.gain_db
        for each in stored.values()
        if abs(each.encoded.ideal_db - ideal_db) <= GAIN_HYSTERESIS_DB
    )
    return max(Counter(near).items(), key=lambda item: item[1], default=(None, 0))[0]
