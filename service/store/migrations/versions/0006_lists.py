"""What lists ask: since when a product costs what it does, and the displays of a product, now and at any time."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("products", sa.Column("price_since", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE products SET price_since = (SELECT effective_at FROM price_history"
        " WHERE price_history.store_id = products.store_id AND price_history.id = products.price_id)"
    )
    op.drop_index("ix_bindings_store_id_barcode_display_id", table_name="bindings")
    op.drop_index("ix_bindings_store_id_barcode_bound_at", table_name="bindings")
    op.create_index(
        "ix_bindings_of_product",
        "bindings",
        ["store_id", "barcode", "display_id", "bound_at", "unbound_at"],
        unique=False,
    )
