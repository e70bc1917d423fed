"""What the tables are made of: how things are named, and the columns and conditions that many of them have."""

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Text,
    literal_column,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def time(name: str, *, required: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=not required)


def count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


def store() -> Column[int]:
    return Column("store_id", Integer, ForeignKey("stores.id"), primary_key=True)


def word(value: str) -> ColumnElement[str]:
    """A state as a literal: SQLite uses a partial index only for a condition that is written as the index's is."""
    return literal_column(f"'{value}'", Text)


def of_store(column: str, table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["store_id", column], [f"{table}.store_id", f"{table}.id"])
