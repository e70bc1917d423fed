"""The management API: tokens of chains, who changed what, webhooks, history of products and displays, file imports."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SOME = 1000
_PRODUCTS = sa.table("products", sa.column("store_id"), sa.column("barcode"), sa.column("content"), sa.column("search"))


def upgrade() -> None:
    _make_tables()
    _change_tables()
    _fill_search()
    op.execute(
        "UPDATE displays SET bound = (SELECT count(*) FROM bindings WHERE bindings.store_id = displays.store_id"
        " AND bindings.display_id = displays.id AND bindings.unbound_at IS NULL)"
    )
    # What may have left is taken to have left as soon as it was planned: rather doubt than certainty without ground.
    op.execute(
        "UPDATE updates SET pushed_at = created_at WHERE phase <> 'PENDING' OR attempts > 0 OR error IS NOT NULL"
    )
    op.execute(
        "UPDATE showings SET revision = coalesce((SELECT updates.revision FROM updates"
        " WHERE updates.store_id = showings.store_id AND updates.id = showings.update_id), 0)"
    )


def _make_tables() -> None:
    op.create_table(
        "answered",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_answered_store_id")),
        sa.PrimaryKeyConstraint("store_id", "key", name=op.f("pk_answered")),
    )
    op.create_index("ix_answered_store_id_at", "answered", ["store_id", "at"], unique=False)
    op.create_table(
        "audit",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), server_default="{}", nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_audit_organisation_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_audit_store_id")),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_organisation_id_action_id", "audit", ["organisation_id", "action", "id"], unique=False)
    op.create_index(
        "ix_audit_organisation_id_store_id_id", "audit", ["organisation_id", "store_id", "id"], unique=False
    )
    op.create_index("ix_audit_organisation_id_subject_id", "audit", ["organisation_id", "subject", "id"], unique=False)
    op.create_table(
        "events",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_events_organisation_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_events_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_at", "events", ["at"], unique=False)
    op.create_index("ix_events_organisation_id_at_id", "events", ["organisation_id", "at", "id"], unique=False)
    op.create_index(
        "ix_events_organisation_id_kind_at_id", "events", ["organisation_id", "kind", "at", "id"], unique=False
    )
    op.create_index("ix_events_store_id_at_id", "events", ["store_id", "at", "id"], unique=False)
    op.create_index("ix_events_store_id_kind_at_id", "events", ["store_id", "kind", "at", "id"], unique=False)
    op.create_table(
        "imports",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("detected", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("finalized_at", sa.BigInteger(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("received_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_bytes", sa.BigInteger(), nullable=True),
        sa.Column("rows_read", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_accepted", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_imports_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_imports")),
    )
    op.create_index(
        "ix_imports_due",
        "imports",
        ["store_id", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'processing'"),
        sqlite_where=sa.text("status = 'processing'"),
    )
    op.create_index("ix_imports_store_id_status_id", "imports", ["store_id", "status", "id"], unique=False)
    op.create_table(
        "milestones",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_milestones_store_id")),
        sa.PrimaryKeyConstraint("store_id", "kind", name=op.f("pk_milestones")),
    )
    op.create_table(
        "product_changes",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("barcode", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Text(), nullable=True),
        sa.Column("push", sa.Integer(), nullable=True),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_product_changes_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_product_changes")),
    )
    op.create_index(
        "ix_product_changes_store_id_barcode_id", "product_changes", ["store_id", "barcode", "id"], unique=False
    )
    op.create_table(
        "production_requests",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("checklist", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("override", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("live_store_id", sa.Integer(), nullable=True),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("fetched_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["live_store_id"], ["stores.id"], name=op.f("fk_production_requests_live_store_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_production_requests_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_production_requests")),
    )
    op.create_table(
        "sweeps",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_sweeps_store_id")),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_sweeps")),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("store_id", sa.Integer(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_webhooks_organisation_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_webhooks_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index("ix_webhooks_organisation_id_id", "webhooks", ["organisation_id", "id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("log", sa.Text(), server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id", "event_id"], ["events.store_id", "events.id"], name=op.f("fk_deliveries_store_id_event_id")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_deliveries_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_deliveries")),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["webhook_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_deliveries_created_at", "deliveries", ["created_at"], unique=False)
    op.create_index(
        "ix_deliveries_leased",
        "deliveries",
        ["webhook_id", "lease_until"],
        unique=False,
        postgresql_where=sa.text("lease_until IS NOT NULL"),
        sqlite_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index("ix_deliveries_store_id_event_id", "deliveries", ["store_id", "event_id"], unique=False)
    op.create_index("ix_deliveries_webhook_id_id", "deliveries", ["webhook_id", "id"], unique=False)
    op.create_index("ix_deliveries_webhook_id_kind_id", "deliveries", ["webhook_id", "kind", "id"], unique=False)
    op.create_index("ix_deliveries_webhook_id_state_id", "deliveries", ["webhook_id", "state", "id"], unique=False)
    op.create_table(
        "import_chunks",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id", "import_id"],
            ["imports.store_id", "imports.id"],
            name=op.f("fk_import_chunks_store_id_import_id"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_import_chunks_store_id")),
        sa.PrimaryKeyConstraint("store_id", "import_id", "offset", name=op.f("pk_import_chunks")),
    )
    op.create_table(
        "import_differences",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Text(), nullable=False),
        sa.Column("barcode", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id", "import_id"],
            ["imports.store_id", "imports.id"],
            name=op.f("fk_import_differences_store_id_import_id"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_import_differences_store_id")),
        sa.PrimaryKeyConstraint("store_id", "import_id", "barcode", name=op.f("pk_import_differences")),
    )
    op.create_table(
        "blinks",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("display_id", sa.Text(), nullable=False),
        sa.Column("gateway_id", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id", "display_id"], ["displays.store_id", "displays.id"], name=op.f("fk_blinks_store_id_display_id")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_blinks_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_blinks")),
    )
    op.create_index(
        "ix_blinks_due",
        "blinks",
        ["store_id", "gateway_id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "display_events",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("display_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id", "display_id"],
            ["displays.store_id", "displays.id"],
            name=op.f("fk_display_events_store_id_display_id"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_display_events_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_display_events")),
    )
    op.create_index(
        "ix_display_events_store_id_display_id_at_id",
        "display_events",
        ["store_id", "display_id", "at", "id"],
        unique=False,
    )
    op.create_index("ix_display_events_store_id_kind_id", "display_events", ["store_id", "kind", "id"], unique=False)
    op.add_column("batches", sa.Column("guard", sa.Text(), nullable=True))
    op.add_column("batches", sa.Column("guard_detail", sa.Text(), nullable=True))
    op.add_column("batches", sa.Column("cancelled_by", sa.Text(), nullable=True))


def _change_tables() -> None:
    op.create_index("ix_batches_store_id_reference_id", "batches", ["store_id", "reference", "id"], unique=False)
    op.create_index("ix_batches_store_id_mode_id", "batches", ["store_id", "mode", "id"], unique=False)
    op.create_index("ix_batches_store_id_status_id", "batches", ["store_id", "status", "id"], unique=False)
    op.create_index(
        "ix_bindings_store_id_barcode_bound_at", "bindings", ["store_id", "barcode", "bound_at"], unique=False
    )
    op.create_index(
        "ix_bindings_store_id_display_id_bound_at", "bindings", ["store_id", "display_id", "bound_at"], unique=False
    )
    op.add_column("displays", sa.Column("overdue_told", sa.Text(), nullable=True))
    op.add_column("displays", sa.Column("retired_by", sa.Text(), nullable=True))
    op.add_column("displays", sa.Column("replaced_by", sa.Text(), nullable=True))
    op.add_column("displays", sa.Column("bound", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index(
        "ix_displays_low_battery",
        "displays",
        ["store_id", "id"],
        unique=False,
        postgresql_where=sa.text("battery < 20 AND retired_at IS NULL"),
        sqlite_where=sa.text("battery < 20 AND retired_at IS NULL"),
    )
    op.create_index(
        "ix_displays_retired",
        "displays",
        ["store_id", "id"],
        unique=False,
        postgresql_where=sa.text("retired_at IS NOT NULL"),
        sqlite_where=sa.text("retired_at IS NOT NULL"),
    )
    op.create_index(
        "ix_displays_store_id_address_id_retired_at",
        "displays",
        ["store_id", "address", "id", "retired_at"],
        unique=False,
    )
    op.create_index("ix_displays_store_id_gateway_id_id", "displays", ["store_id", "gateway_id", "id"], unique=False)
    op.create_index(
        "ix_displays_unbound",
        "displays",
        ["store_id", "id"],
        unique=False,
        postgresql_where=sa.text("bound = 0 AND retired_at IS NULL"),
        sqlite_where=sa.text("bound = 0 AND retired_at IS NULL"),
    )
    op.add_column("gateways", sa.Column("offline_told_at", sa.BigInteger(), nullable=True))
    op.add_column("gateways", sa.Column("maintenance_since", sa.BigInteger(), nullable=True))
    op.add_column("gateways", sa.Column("maintenance_by", sa.Text(), nullable=True))
    op.add_column("gateways", sa.Column("maintenance_reason", sa.Text(), nullable=True))
    op.add_column("gateways", sa.Column("info", sa.Text(), nullable=True))
    op.add_column("products", sa.Column("search", sa.Text(), server_default="", nullable=False))
    for name, condition in (("on_sale", "archived_at IS NULL"), ("archived", "archived_at IS NOT NULL")):
        for suffix, columns in {
            "": ["search", "barcode"],
            "_barcode": ["barcode", "search"],
            "_category": ["category", "search", "barcode"],
            "_category_barcode": ["category", "barcode", "search"],
        }.items():
            op.create_index(
                f"ix_products_{name}{suffix}",
                "products",
                ["store_id", *columns],
                unique=False,
                postgresql_where=sa.text(condition),
                sqlite_where=sa.text(condition),
            )
    op.drop_index("ix_price_history_store_id_barcode_id", table_name="price_history")
    op.create_index(
        "ix_price_history_of_product",
        "price_history",
        ["store_id", "barcode", "id", "effective_at", "effective"],
        unique=False,
    )
    _change_displays()
    op.add_column("updates", sa.Column("pushed_at", sa.BigInteger(), nullable=True))
    op.add_column("showings", sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.drop_index(op.f("ix_showings_store_id_display_id_id"), table_name="showings")
    op.create_index(
        "ix_showings_store_id_display_id_at_id", "showings", ["store_id", "display_id", "at", "id"], unique=False
    )
    op.add_column("stores", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("tokens", sa.Column("plan", sa.Text(), server_default="unlimited", nullable=False))
    op.add_column("tokens", sa.Column("created_by", sa.Text(), nullable=True))
    op.add_column("tokens", sa.Column("replaces", sa.Text(), nullable=True))
    op.add_column("tokens", sa.Column("series", sa.Text(), nullable=True))
    op.create_index("ix_tokens_organisation_id_id", "tokens", ["organisation_id", "id"], unique=False)


def _change_displays() -> None:
    op.create_index(
        "ix_displays_unconfirmed",
        "displays",
        ["store_id", "id"],
        unique=False,
        postgresql_where=sa.text("pushed_revision - shown_revision > 0 AND retired_at IS NULL"),
        sqlite_where=sa.text("pushed_revision - shown_revision > 0 AND retired_at IS NULL"),
    )
    op.drop_index("ix_displays_store_id_gateway_id_address", table_name="displays")
    op.create_index(
        "ix_displays_store_id_gateway_id_address_id",
        "displays",
        ["store_id", "gateway_id", "address", "id"],
        unique=False,
    )
    op.drop_index("ix_displays_wrong", table_name="displays")
    wrong = "(desired_digest IS DISTINCT FROM shown_digest OR pushed_revision > shown_revision) AND retired_at IS NULL"
    op.create_index(
        "ix_displays_wrong",
        "displays",
        ["store_id", "id"],
        unique=False,
        postgresql_where=sa.text(wrong),
        sqlite_where=sa.text(wrong.replace("IS DISTINCT FROM", "IS NOT")),
    )
    op.drop_index("ix_bindings_store_id_barcode", table_name="bindings")
    op.create_index(
        "ix_bindings_store_id_barcode_display_id",
        "bindings",
        ["store_id", "barcode", "display_id"],
        unique=False,
        postgresql_where=sa.text("unbound_at IS NULL"),
        sqlite_where=sa.text("unbound_at IS NULL"),
    )


def _fill_search() -> None:
    """As core.searching made it when this was written."""
    connection = op.get_bind()
    key = (_PRODUCTS.c.store_id, _PRODUCTS.c.barcode)
    after: tuple[sa.ColumnElement[object], ...] | None = None
    while True:
        some = sa.select(_PRODUCTS.c.store_id, _PRODUCTS.c.barcode, _PRODUCTS.c.content).order_by(*key).limit(_SOME)
        rows = list(connection.execute(some if after is None else some.where(sa.tuple_(*key) > sa.tuple_(*after))))
        for store_id, barcode, content in rows:
            mine = (_PRODUCTS.c.store_id == store_id) & (_PRODUCTS.c.barcode == barcode)
            connection.execute(sa.update(_PRODUCTS).where(mine).values(search=_search(json.loads(content))))
        if len(rows) < _SOME:
            return
        after = (sa.literal(rows[-1].store_id), sa.literal(rows[-1].barcode))


def _search(product: dict[str, object]) -> str:
    words = [str(product.get("name", ""))[:200], product["barcode"], product.get("sku"), product.get("brand")]
    return "\n".join(str(word).casefold() for word in words if word)[:300]
