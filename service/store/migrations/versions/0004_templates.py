"""templates: what faces are drawn from; stores: how far displays were planned anew; displays: why their face failed"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "templates",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_templates_store_id")),
        sa.PrimaryKeyConstraint("store_id", "digest", name=op.f("pk_templates")),
    )
    op.create_index("ix_templates_store_id_name", "templates", ["store_id", "name"])
    op.add_column("stores", sa.Column("redraw_after", sa.Text(), nullable=True))
    op.add_column("displays", sa.Column("failure", sa.Text(), nullable=True))
    op.add_column("displays", sa.Column("failure_detail", sa.Text(), nullable=True))
