"""products: the mark of the row that was the last to change one, if it came in a batch"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("products", sa.Column("row_mark", sa.LargeBinary(), nullable=True))
