"""One index for the displays of a product, now and at any time: a page of them is a part of it."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_bindings_store_id_barcode_display_id", table_name="bindings")
    op.drop_index("ix_bindings_store_id_barcode_bound_at", table_name="bindings")
    op.create_index(
        "ix_bindings_of_product",
        "bindings",
        ["store_id", "barcode", "display_id", "bound_at", "unbound_at"],
        unique=False,
    )
