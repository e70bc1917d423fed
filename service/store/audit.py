"""Statements of the audit log."""

from typing import Any

from service.store.chain_tables import audit
from service.store.database import Connection


async def insert(connection: Connection, row: dict[str, Any]) -> None:
    await connection.execute(audit.insert(), row)
