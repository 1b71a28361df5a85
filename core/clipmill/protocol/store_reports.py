"""Describe how the blob store differs from the database."""

from __future__ import annotations

from pydantic import Field

from clipmill.spec.base import Model


class StoreFinding(Model):
    """Objects of the store with the same fault: how many, their bytes, and the first of them."""

    count: int = 0
    size_bytes: int = 0
    paths: list[str] = Field([], description="At most 1000 paths, such as `<owner>/<sha256>`.")


class StoreCheck(Model):
    """The blob store compared with the database."""

    installation: str
    blobs: int
    size_bytes: int
    unknown: StoreFinding = Field(description="Blobs that no row names.")
    missing: StoreFinding = Field(description="Blobs that a row names and the store does not hold.")
    wrong_size: StoreFinding = Field(description="Blobs of another size than their row says.")
    strays: StoreFinding = Field(description="Objects that are no blobs. Nothing is done to them.")
    waiting: int = Field(description="Blobs without a row whose grace period is not over.")

    @property
    def is_consistent(self) -> bool:
        """Return whether every row has its bytes, and every blob a row."""
        return not (self.unknown.count or self.missing.count or self.wrong_size.count)


class StoreVerification(Model):
    """A page of blobs that were read and compared with their SHA-256."""

    blobs: int
    damaged: list[str] = Field(description="Paths of blobs with other bytes than their name says.")
    next: str | None = Field(description="Value of `after` for the next page; null at the end.")


class RemovalRequest(Model):
    """A request to delete all blobs that no row names."""

    installation: str = Field(description="Id of the installation, as a confirmation.")


class RemovalReply(Model):
    """Blobs that were marked, and until when their bytes are kept."""

    marked: int
    delete_after: str
