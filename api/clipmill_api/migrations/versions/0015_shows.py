"""Add shows, their episodes, reports of what was considered, and clips that were used."""

import sqlalchemy as sa
from alembic import op

from clipmill_api.timestamps import UtcDateTime

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

SHOWS = "shows"
EPISODES = "episodes"
REPORTS = "episode_reports"
USED = "used_clips"
INDEXES = (
    (SHOWS, ["evaluate_at"]),
    (SHOWS, ["changed_at"]),
    (SHOWS, ["owner", "name"]),
    (SHOWS, ["namespace", "name"]),
    (EPISODES, ["state", "expires_at"]),
    (EPISODES, ["compilation_id"]),
    (EPISODES, ["owner"]),
    (USED, ["episode_id"]),
)


def _text(name: str, *, length: int = 255, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _time(name: str, *, nullable: bool = True) -> "sa.Column[object]":
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def upgrade() -> None:
    """Create the tables, and let keys belong to an episode."""
    _create_shows()
    _create_episodes()
    op.create_table(
        REPORTS,
        _text("episode_id"),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["episode_id"], ["episodes.id"], name=f"fk_{REPORTS}_episode_id"),
        sa.PrimaryKeyConstraint("episode_id", name=f"pk_{REPORTS}"),
    )
    op.create_table(
        USED,
        _text("show_id"),
        _text("clip_key", length=2100),
        _text("episode_id"),
        sa.ForeignKeyConstraint(["show_id"], ["shows.id"], name=f"fk_{USED}_show_id"),
        sa.PrimaryKeyConstraint("show_id", "clip_key", "episode_id", name=f"pk_{USED}"),
    )
    for table, columns in INDEXES:
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
    op.add_column("keys", _text("episode_id", nullable=True))
    op.create_index(op.f("ix_keys_episode_id"), "keys", ["episode_id"])


def _create_shows() -> None:
    op.create_table(
        SHOWS,
        _text("id"),
        _text("identity"),
        _text("owner", length=63),
        _text("namespace"),
        _text("name"),
        _number("generation"),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        _text("reason"),
        sa.Column("message", sa.Text(), nullable=False),
        _number("episodes"),
        _time("counted_from", nullable=False),
        _time("evaluate_at"),
        _time("next_at"),
        _time("last_at"),
        _time("last_successful_at"),
        _time("changed_at", nullable=False),
        _time("created_at", nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["users.name"], name="fk_shows_owner"),
        sa.PrimaryKeyConstraint("id", name="pk_shows"),
        sa.UniqueConstraint("identity", name="uq_shows_identity"),
    )


def _create_episodes() -> None:
    op.create_table(
        EPISODES,
        _text("id"),
        _text("show_id"),
        _text("owner", length=63),
        _number("number"),
        _time("scheduled_at", nullable=False),
        _text("name"),
        _text("state"),
        _text("reason"),
        sa.Column("message", sa.Text(), nullable=False),
        _text("compilation_id", nullable=True),
        _number("taken"),
        _number("considered"),
        _number("epoch"),
        _text("holder"),
        _time("lease_until"),
        _time("expires_at"),
        _time("created_at", nullable=False),
        _time("completed_at"),
        sa.CheckConstraint(
            "state IN ('Discovering','Created','AwaitingApproval','Succeeded','Failed','Skipped')",
            name=op.f("ck_episodes_state_known"),
        ),
        sa.ForeignKeyConstraint(["show_id"], ["shows.id"], name="fk_episodes_show_id"),
        sa.ForeignKeyConstraint(["owner"], ["users.name"], name="fk_episodes_owner"),
        sa.PrimaryKeyConstraint("id", name="pk_episodes"),
        sa.UniqueConstraint("show_id", "scheduled_at", name="uq_episodes_show_id_scheduled_at"),
    )


def downgrade() -> None:
    """Drop the tables; compilations of episodes stay."""
    op.drop_index("ix_keys_episode_id", "keys")
    op.drop_column("keys", "episode_id")
    for table in (USED, REPORTS, EPISODES, SHOWS):
        op.drop_table(table)
