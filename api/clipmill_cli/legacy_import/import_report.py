"""What the import did, or would do, with every row."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from pydantic import Field

from clipmill.spec.base import Model


class ImportAction(StrEnum):
    """What happens to a row."""

    CREATE = "Create"
    KEEP = "Keep"
    SKIP = "Skip"


class ImportItem(Model):
    """A row, or the usage of a user, and the result of its import."""

    kind: str = Field(description="tier, user, media, project, clip or usage.")
    legacy_id: int | None = Field(description="Primary key there; absent for a sum of rows.")
    name: str
    action: ImportAction
    target: str | None = Field(None, description="Name, id or file here.")
    reason: str | None = Field(None, description="Why it is kept or skipped.")
    notes: list[str] = Field([], description="What is not the same here.")


class OmittedTable(Model):
    """A table that is not imported."""

    table: str
    rows: int
    reason: str


class ImportReport(Model):
    """The result of an import, or of its dry run."""

    dry_run: bool
    items: list[ImportItem]
    omitted_tables: list[OmittedTable]

    @property
    def is_complete(self) -> bool:
        """Whether no row was skipped."""
        return all(item.action is not ImportAction.SKIP for item in self.items)

    def counts(self) -> Counter[tuple[str, ImportAction]]:
        """Return the number of items by kind and action."""
        return Counter((item.kind, item.action) for item in self.items)
