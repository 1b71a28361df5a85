"""Create the first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "fetch_locks",
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("clip_key", sa.String(length=2100), nullable=False),
        sa.Column("clip_id", sa.String(length=255), nullable=False),
        sa.Column("until", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("owner", "clip_key", name=op.f("pk_fetch_locks")),
    )
    op.create_table(
        "idempotency",
        sa.Column("principal", sa.String(length=255), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_sha256", sa.String(length=255), nullable=False),
        sa.Column("compilation_id", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("principal", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("job_type", sa.String(length=255), nullable=False),
        sa.Column("compilation_id", sa.String(length=255), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=255), nullable=False),
        sa.Column("progress", sa.BigInteger(), nullable=False),
        sa.Column("result_data", sa.JSON(), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.String(length=255), nullable=False),
        sa.Column("completed_at", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint(
            "compilation_id", "external_id", name=op.f("uq_jobs_compilation_id_external_id")
        ),
    )
    op.create_table(
        "log_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("compilation_id", sa.String(length=255), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=255), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_lines")),
    )
    with op.batch_alter_table("log_lines", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_log_lines_compilation_id_generation_id"),
            ["compilation_id", "generation", "id"],
            unique=False,
        )

    op.create_table(
        "parts",
        sa.Column("compilation_id", sa.String(length=255), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(length=255), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column("lease_until", sa.String(length=255), nullable=False),
        sa.Column("percent", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "compilation_id", "generation", "stage", "index", name=op.f("pk_parts")
        ),
    )
    op.create_table(
        "render_usage",
        sa.Column("compilation_id", sa.String(length=255), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("compilation_id", "generation", name=op.f("pk_render_usage")),
    )
    op.create_table(
        "reservations",
        sa.Column("compilation_id", sa.String(length=255), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=255), nullable=False),
        sa.CheckConstraint(
            "state IN ('open','settled','released')", name=op.f("ck_reservations_state_known")
        ),
        sa.PrimaryKeyConstraint("compilation_id", "generation", name=op.f("pk_reservations")),
    )
    op.create_table(
        "tiers",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("storage_limit_bytes", sa.BigInteger(), nullable=True),
        sa.Column("render_limit_s", sa.BigInteger(), nullable=True),
        sa.Column("apply_watermark", sa.Boolean(), nullable=False),
        sa.Column("max_resolution", sa.String(length=255), nullable=True),
        sa.Column("max_fps", sa.BigInteger(), nullable=True),
        sa.Column("max_clips", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tiers")),
    )
    op.create_table(
        "users",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("tier", sa.String(length=100), nullable=False),
        sa.Column("storage_used_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.String(length=255), nullable=False),
        sa.CheckConstraint("storage_used_bytes >= 0", name=op.f("ck_users_storage_not_negative")),
        sa.ForeignKeyConstraint(["tier"], ["tiers.name"], name=op.f("fk_users_tier")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_users")),
    )
    op.create_table(
        "compilations",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("uid", sa.String(length=255), nullable=False),
        sa.Column("owner", sa.String(length=63), nullable=False),
        sa.Column("namespace", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("resource_generation", sa.BigInteger(), nullable=False),
        sa.Column("outbox", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["users.name"], name=op.f("fk_compilations_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compilations")),
        sa.UniqueConstraint("uid", name=op.f("uq_compilations_uid")),
    )
    with op.batch_alter_table("compilations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_compilations_owner_created_at"), ["owner", "created_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_compilations_outbox"), ["outbox"], unique=False)

    op.create_table(
        "keys",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("secret_sha256", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=255), nullable=False),
        sa.Column("owner", sa.String(length=63), nullable=True),
        sa.Column("compilation_id", sa.String(length=255), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.String(length=255), nullable=True),
        sa.Column("expires_at", sa.String(length=255), nullable=True),
        sa.Column("revoked_at", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(["owner"], ["users.name"], name=op.f("fk_keys_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_keys_secret_sha256")),
    )
    with op.batch_alter_table("keys", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_keys_compilation_id_generation"),
            ["compilation_id", "generation"],
            unique=False,
        )

    op.create_table(
        "media",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("owner", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=255), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=255), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.Column("clip_key", sa.String(length=2100), nullable=True),
        sa.Column("thumbnail_id", sa.String(length=255), nullable=True),
        sa.Column("compilation_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["users.name"], name=op.f("fk_media_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint("owner", "clip_key", name=op.f("uq_media_owner_clip_key")),
    )
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_media_owner_kind_created_at"),
            ["owner", "kind", "created_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_media_owner_sha256"), ["owner", "sha256"], unique=False
        )

    op.create_table(
        "pieces",
        sa.Column("owner", sa.String(length=63), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.String(length=255), nullable=False),
        sa.Column("used_at", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["users.name"], name=op.f("fk_pieces_owner")),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_pieces")),
    )
    with op.batch_alter_table("pieces", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_pieces_owner_sha256"), ["owner", "sha256"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_pieces_used_at"), ["used_at"], unique=False)

    op.create_table(
        "render_windows",
        sa.Column("owner", sa.String(length=63), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("used_s", sa.BigInteger(), nullable=False),
        sa.Column("reserved_s", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "used_s >= 0 AND reserved_s >= 0", name=op.f("ck_render_windows_not_negative")
        ),
        sa.ForeignKeyConstraint(["owner"], ["users.name"], name=op.f("fk_render_windows_owner")),
        sa.PrimaryKeyConstraint("owner", "month", name=op.f("pk_render_windows")),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("owner", sa.String(length=63), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("request_sha256", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("reserved_bytes", sa.BigInteger(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("media_id", sa.String(length=255), nullable=True),
        sa.Column("piece_key", sa.String(length=255), nullable=True),
        sa.Column("compilation_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["users.name"], name=op.f("fk_uploads_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_uploads_owner_request_sha256"), ["owner", "request_sha256"], unique=False
        )

    op.create_table(
        "revisions",
        sa.Column("compilation_id", sa.String(length=255), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=255), nullable=False),
        sa.Column("stage", sa.String(length=255), nullable=True),
        sa.Column("percent", sa.BigInteger(), nullable=False),
        sa.Column("pieces_reused", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=255), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("outputs", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(length=255), nullable=False),
        sa.Column("completed_at", sa.String(length=255), nullable=True),
        sa.CheckConstraint(
            "state IN ('Pending','Fetching','Rendering',"
            "'Succeeded','Failed','Cancelled','Superseded')",
            name=op.f("ck_revisions_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["compilation_id"], ["compilations.id"], name=op.f("fk_revisions_compilation_id")
        ),
        sa.PrimaryKeyConstraint("compilation_id", "generation", name=op.f("pk_revisions")),
    )
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_revisions_state"), ["state"], unique=False)

    op.create_table(
        "clips",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("compilation_id", sa.String(length=255), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=True),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("clip_key", sa.String(length=2100), nullable=True),
        sa.Column("state", sa.String(length=255), nullable=False),
        sa.Column("media_id", sa.String(length=255), nullable=True),
        sa.Column("thumbnail_id", sa.String(length=255), nullable=True),
        sa.Column("reason", sa.String(length=255), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("reused", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["compilation_id", "generation"],
            ["revisions.compilation_id", "revisions.generation"],
            name="fk_clips_revision",
        ),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_clips_media_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clips")),
        sa.UniqueConstraint(
            "compilation_id",
            "generation",
            "position",
            name=op.f("uq_clips_compilation_id_generation_position"),
        ),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("clips")
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revisions_state"))

    op.drop_table("revisions")
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_uploads_owner_request_sha256"))

    op.drop_table("uploads")
    op.drop_table("render_windows")
    with op.batch_alter_table("pieces", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pieces_used_at"))
        batch_op.drop_index(batch_op.f("ix_pieces_owner_sha256"))

    op.drop_table("pieces")
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_media_owner_sha256"))
        batch_op.drop_index(batch_op.f("ix_media_owner_kind_created_at"))

    op.drop_table("media")
    with op.batch_alter_table("keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_keys_compilation_id_generation"))

    op.drop_table("keys")
    with op.batch_alter_table("compilations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_compilations_outbox"))
        batch_op.drop_index(batch_op.f("ix_compilations_owner_created_at"))

    op.drop_table("compilations")
    op.drop_table("users")
    op.drop_table("tiers")
    op.drop_table("reservations")
    op.drop_table("render_usage")
    op.drop_table("parts")
    with op.batch_alter_table("log_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_log_lines_compilation_id_generation_id"))

    op.drop_table("log_lines")
    op.drop_table("jobs")
    op.drop_table("idempotency")
    op.drop_table("fetch_locks")
