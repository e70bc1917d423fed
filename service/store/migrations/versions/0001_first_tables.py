"""first tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "organisations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ulid", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("slug", name=op.f("uq_organisations_slug")),
        sa.UniqueConstraint("ulid", name=op.f("uq_organisations_ulid")),
    )
    op.create_table(
        "stores",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ulid", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("templates", sa.Text(), server_default="{}", nullable=False),
        sa.Column("guards", sa.Text(), server_default="{}", nullable=False),
        sa.Column("saver", sa.Text(), nullable=True),
        sa.Column("saver_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_stores_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stores")),
        sa.UniqueConstraint("slug", name=op.f("uq_stores_slug")),
        sa.UniqueConstraint("ulid", name=op.f("uq_stores_ulid")),
    )
    op.create_table(
        "batches",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("expected_products", sa.Integer(), nullable=True),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("progress", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("started_seq", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("processing_at", sa.BigInteger(), nullable=True),
        sa.Column("verifying_at", sa.BigInteger(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("pushes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("products_received", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("products_rejected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("products_created", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("products_updated", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("products_unchanged", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("products_duplicate", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("products_stale", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("products_archived", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tags_total", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tags_sent", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tags_confirmed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tags_failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tags_superseded", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("proof_displayed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("proof_delivered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("proof_accepted", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_batches_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_batches")),
    )
    op.create_index(
        "ix_batches_live",
        "batches",
        ["status", "store_id"],
        unique=False,
        postgresql_where=sa.text("status = 'open' OR phase IS NOT NULL"),
        sqlite_where=sa.text("status = 'open' OR phase IS NOT NULL"),
    )
    op.create_table(
        "faces",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("panel", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("renderer_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_faces_store_id")),
        sa.PrimaryKeyConstraint("store_id", "digest", name=op.f("pk_faces")),
    )
    op.create_table(
        "gateways",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("config", sa.Text(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("unreachable_since", sa.BigInteger(), nullable=True),
        sa.Column("reached_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("next_push_at", sa.BigInteger(), nullable=True),
        sa.Column("next_poll_at", sa.BigInteger(), nullable=True),
        sa.Column("next_audit_at", sa.BigInteger(), nullable=True),
        sa.Column("pusher", sa.Text(), nullable=True),
        sa.Column("pusher_until", sa.BigInteger(), nullable=True),
        sa.Column("listener", sa.Text(), nullable=True),
        sa.Column("listener_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_gateways_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_gateways")),
    )
    op.create_index("uq_gateways_store_id_name", "gateways", ["store_id", "name"], unique=True)
    op.create_table(
        "price_history",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("barcode", sa.Text(), nullable=False),
        sa.Column("regular", sa.BigInteger(), nullable=True),
        sa.Column("sale", sa.BigInteger(), nullable=True),
        sa.Column("effective", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Text(), nullable=True),
        sa.Column("push", sa.Integer(), nullable=True),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("first_proven_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_price_history_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_price_history")),
    )
    op.create_index(
        "ix_price_history_store_id_barcode_id", "price_history", ["store_id", "barcode", "id"], unique=False
    )
    op.create_table(
        "products",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("barcode", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("received_seq", sa.BigInteger(), nullable=False),
        sa.Column("price_id", sa.Text(), nullable=True),
        sa.Column("next_change_at", sa.BigInteger(), nullable=True),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_products_store_id")),
        sa.PrimaryKeyConstraint("store_id", "barcode", name=op.f("pk_products")),
    )
    op.create_index(
        "ix_products_next_change_at",
        "products",
        ["next_change_at"],
        unique=False,
        postgresql_where=sa.text("next_change_at IS NOT NULL"),
        sqlite_where=sa.text("next_change_at IS NOT NULL"),
    )
    op.create_index("uq_products_store_id_id", "products", ["store_id", "id"], unique=True)
    op.create_table(
        "store_sequences",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("received", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_store_sequences_store_id")),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_store_sequences")),
    )
    op.create_table(
        "tokens",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), server_default='["feed"]', nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_tokens_organisation_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_tokens_store_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_tokens")),
        sa.UniqueConstraint("id", name=op.f("uq_tokens_id")),
    )
    op.create_table(
        "batch_errors",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("push", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("barcode", sa.Text(), nullable=True),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id", "batch_id"], ["batches.store_id", "batches.id"], name=op.f("fk_batch_errors_store_id_batch_id")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_batch_errors_store_id")),
        sa.PrimaryKeyConstraint("store_id", "batch_id", "push", "row", "number", name=op.f("pk_batch_errors")),
    )
    op.create_table(
        "batch_pushes",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id", "batch_id"], ["batches.store_id", "batches.id"], name=op.f("fk_batch_pushes_store_id_batch_id")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_batch_pushes_store_id")),
        sa.PrimaryKeyConstraint("store_id", "batch_id", "number", name=op.f("pk_batch_pushes")),
    )
    op.create_index(
        "uq_batch_pushes_store_id_batch_id_idempotency_key",
        "batch_pushes",
        ["store_id", "batch_id", "idempotency_key"],
        unique=True,
    )
    op.create_index(
        "uq_batch_pushes_store_id_batch_id_sequence", "batch_pushes", ["store_id", "batch_id", "sequence"], unique=True
    )
    op.create_table(
        "displays",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("gateway_id", sa.Text(), nullable=False),
        sa.Column("panel", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("desired_digest", sa.Text(), nullable=True),
        sa.Column("desired_revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("pushed_revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("desired_at", sa.BigInteger(), nullable=True),
        sa.Column("shown_digest", sa.Text(), nullable=True),
        sa.Column("shown_revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("shown_proof", sa.Integer(), nullable=True),
        sa.Column("shown_at", sa.BigInteger(), nullable=True),
        sa.Column("retry_at", sa.BigInteger(), nullable=True),
        sa.Column("pusher", sa.Text(), nullable=True),
        sa.Column("pusher_until", sa.BigInteger(), nullable=True),
        sa.Column("reported_at", sa.BigInteger(), nullable=True),
        sa.Column("battery", sa.Integer(), nullable=True),
        sa.Column("signal", sa.Integer(), nullable=True),
        sa.Column("temperature", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_displays_organisation_id")),
        sa.ForeignKeyConstraint(
            ["store_id", "gateway_id"],
            ["gateways.store_id", "gateways.id"],
            name=op.f("fk_displays_store_id_gateway_id"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_displays_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_displays")),
    )
    op.create_index(
        "ix_displays_store_id_gateway_id_address", "displays", ["store_id", "gateway_id", "address"], unique=False
    )
    op.create_index(
        "ix_displays_wrong",
        "displays",
        ["store_id", "id"],
        unique=False,
        postgresql_where=sa.text("desired_digest IS DISTINCT FROM shown_digest OR pushed_revision > shown_revision"),
        sqlite_where=sa.text("desired_digest IS NOT shown_digest OR pushed_revision > shown_revision"),
    )
    op.create_index(
        "uq_displays_organisation_id_address_driver", "displays", ["organisation_id", "address", "driver"], unique=True
    )
    op.create_table(
        "batch_displays",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("display_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("update_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("planned_at", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("proof", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id", "batch_id"],
            ["batches.store_id", "batches.id"],
            name=op.f("fk_batch_displays_store_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["store_id", "display_id"],
            ["displays.store_id", "displays.id"],
            name=op.f("fk_batch_displays_store_id_display_id"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_batch_displays_store_id")),
        sa.PrimaryKeyConstraint("store_id", "batch_id", "display_id", name=op.f("pk_batch_displays")),
    )
    op.create_index(
        "ix_batch_displays_store_id_display_id",
        "batch_displays",
        ["store_id", "display_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'failed')"),
        sqlite_where=sa.text("state IN ('pending', 'failed')"),
    )
    op.create_table(
        "bindings",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("display_id", sa.Text(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("barcode", sa.Text(), nullable=False),
        sa.Column("bound_at", sa.BigInteger(), nullable=False),
        sa.Column("unbound_at", sa.BigInteger(), nullable=True),
        sa.Column("bound_by", sa.Text(), nullable=True),
        sa.Column("unbound_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id", "display_id"],
            ["displays.store_id", "displays.id"],
            name=op.f("fk_bindings_store_id_display_id"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_bindings_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_bindings")),
    )
    op.create_index(
        "ix_bindings_store_id_barcode",
        "bindings",
        ["store_id", "barcode"],
        unique=False,
        postgresql_where=sa.text("unbound_at IS NULL"),
        sqlite_where=sa.text("unbound_at IS NULL"),
    )
    op.create_index(
        "uq_bindings_store_id_display_id_slot",
        "bindings",
        ["store_id", "display_id", "slot"],
        unique=True,
        postgresql_where=sa.text("unbound_at IS NULL"),
        sqlite_where=sa.text("unbound_at IS NULL"),
    )
    op.create_table(
        "showings",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("display_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("update_id", sa.Text(), nullable=True),
        sa.Column("proof", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id", "display_id"],
            ["displays.store_id", "displays.id"],
            name=op.f("fk_showings_store_id_display_id"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_showings_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_showings")),
    )
    op.create_index("ix_showings_store_id_display_id_id", "showings", ["store_id", "display_id", "id"], unique=False)
    op.create_table(
        "updates",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("display_id", sa.Text(), nullable=False),
        sa.Column("gateway_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=True),
        sa.Column("price_ids", sa.Text(), server_default="[]", nullable=False),
        sa.Column("mark", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("confirm_by", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("proof", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id", "display_id"],
            ["displays.store_id", "displays.id"],
            name=op.f("fk_updates_store_id_display_id"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_updates_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_updates")),
    )
    op.create_index(
        "ix_updates_due",
        "updates",
        ["store_id", "gateway_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("phase = 'PENDING'"),
        sqlite_where=sa.text("phase = 'PENDING'"),
    )
    op.create_index(
        "ix_updates_sent",
        "updates",
        ["store_id", "gateway_id", "confirm_by"],
        unique=False,
        postgresql_where=sa.text("phase = 'SENT'"),
        sqlite_where=sa.text("phase = 'SENT'"),
    )
    op.create_index("ix_updates_store_id_display_id_mark", "updates", ["store_id", "display_id", "mark"], unique=False)
    op.create_index(
        "uq_updates_store_id_display_id",
        "updates",
        ["store_id", "display_id"],
        unique=True,
        postgresql_where=sa.text("phase IN ('PENDING', 'SENT')"),
        sqlite_where=sa.text("phase IN ('PENDING', 'SENT')"),
    )
