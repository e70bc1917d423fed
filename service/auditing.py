"""Who changed what: written in the transaction of the change, so that there is no change without its entry.

The feed itself is not here: what it changed is in price history and in its batches.
"""

from typing import Any

import msgspec
import structlog

from service.core.actions import Action
from service.ids import new_id
from service.store import audit
from service.store.database import Connection
from service.store.tenants import Token
from service.tenants.callers import Caller

SHELL = "command line"
"""An actor who works at a shell of this machine."""


class Who(msgspec.Struct, frozen=True):
    """On whose word something is changed.

    Attributes:
        organisation_id: Whose audit log has it.
        store_id: The store that it is about; None: the chain.
        actor: As people read it: `token POS`, `command line, anna`.
        token_id: None at a shell.
    """

    organisation_id: int
    store_id: int | None
    actor: str
    token_id: str | None = None


def by(user: Caller | Token) -> Who:
    if isinstance(user, Caller):
        return Who(user.organisation_id, user.store_id, f"token {user.token}", user.token_id)
    return Who(user.organisation_id, user.store.id if user.store else None, f"token {user.name}", user.id)


async def note(
    connection: Connection,
    who: Who,
    now: int,
    action: Action,
    subject: str | None = None,
    name: str | None = None,
    **detail: Any,
) -> None:
    """Write down a change. `subject`: its id; `name`: what people call it; `detail`: what it was and is, no secrets."""
    row = {
        "organisation_id": who.organisation_id,
        "id": new_id(),
        "store_id": who.store_id,
        "at": now,
        "actor": who.actor,
        "token_id": who.token_id,
        "action": action,
        "subject": subject,
        "name": name,
        "detail": msgspec.json.encode(detail).decode(),
        "request_id": structlog.contextvars.get_contextvars().get("request_id"),
    }
    await audit.insert(connection, row)
