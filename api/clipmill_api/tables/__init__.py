"""Tables in SQLAlchemy 2, the same on PostgreSQL and SQLite.

JSON columns hold dumps of the protocol's models. Ids are random strings with a letter as prefix.
In: nothing. Out: one class per table, whose name ends in `Row`.
"""

from __future__ import annotations

from clipmill_api.tables.account_tables import (
    KeyRow,
    RenderUsageRow,
    RenderWindowRow,
    ReservationRow,
    TierRow,
    UserRow,
)
from clipmill_api.tables.compilation_tables import (
    REVISION_IS_ACTIVE,
    ClipRow,
    CompilationRow,
    IdempotencyRow,
    RevisionRow,
)
from clipmill_api.tables.declarative_base import Base
from clipmill_api.tables.integration_tables import (
    CredentialRow,
    DeliveryRow,
    NotificationRow,
    ResultDeliveryRow,
    WebhookRow,
)
from clipmill_api.tables.media_tables import (
    MediaRow,
    ResultMediaRow,
    SegmentRow,
    ShareLinkRow,
    UploadRow,
)
from clipmill_api.tables.show_tables import (
    EpisodeReportRow,
    EpisodeRow,
    ShowRow,
    UsedClipRow,
)
from clipmill_api.tables.store_tables import InstallationRow, TombstoneRow
from clipmill_api.tables.task_tables import (
    FetchLockRow,
    LogLineRow,
    ProcessingJobRow,
    TaskRow,
)

__all__ = [
    "REVISION_IS_ACTIVE",
    "Base",
    "ClipRow",
    "CompilationRow",
    "CredentialRow",
    "DeliveryRow",
    "EpisodeReportRow",
    "EpisodeRow",
    "FetchLockRow",
    "IdempotencyRow",
    "InstallationRow",
    "KeyRow",
    "LogLineRow",
    "MediaRow",
    "NotificationRow",
    "ProcessingJobRow",
    "RenderUsageRow",
    "RenderWindowRow",
    "ReservationRow",
    "ResultDeliveryRow",
    "ResultMediaRow",
    "RevisionRow",
    "SegmentRow",
    "ShareLinkRow",
    "ShowRow",
    "TaskRow",
    "TierRow",
    "TombstoneRow",
    "UploadRow",
    "UsedClipRow",
    "UserRow",
    "WebhookRow",
]
