"""Who changed what, read: a chain's token sees its chain, a store's token what is about its store."""

from typing import Any

import msgspec

from service import paging
from service.context import Shelfcast
from service.core.problems import printable
from service.errors import NotFoundError
from service.messages import Page, Window, time
from service.messages.tenants import AuditEntry
from service.store import audit, tenants
from service.store.audit import Wanted
from service.store.database import Connection, Record
from service.store.tenants import Token

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_SHOWN = 40


class Asked(msgspec.Struct, frozen=True):
    """Which changes; `store` as its slug or ULID, times in milliseconds: at or after `since`, before `until`."""

    action: str | None = None
    subject: str | None = None
    store: str | None = None
    since: int | None = None
    until: int | None = None


async def listed(ctx: Shelfcast, token: Token, asked: Asked, window: Window) -> Page[AuditEntry]:
    """The newest first. Raises NotFoundError for a store that is not the token's."""
    async with ctx.db.read() as connection:
        store_id = token.store.id if token.store else None
        if asked.store is not None:
            store_id = await _store_id(connection, token, asked.store)
        return await _page(connection, _wanted(token.organisation_id, store_id, asked), window)


async def listed_at_shell(ctx: Shelfcast, asked: Asked, window: Window) -> Page[AuditEntry]:
    """The same for whoever is at the shell of this machine: of one store, or of the whole installation."""
    async with ctx.db.read() as connection:
        organisation_id = store_id = None
        if asked.store is not None:
            store = await tenants.find_store(connection, asked.store)
            if store is None:
                raise NotFoundError(f"There is no store {asked.store}; shelfcast store list shows them.")
            organisation_id, store_id = store.organisation_id, store.id
        return await _page(connection, _wanted(organisation_id, store_id, asked), window)


def _wanted(organisation_id: int | None, store_id: int | None, asked: Asked) -> Wanted:
    return Wanted(organisation_id, store_id, asked.action, asked.subject, asked.since, asked.until)


async def _page(connection: Connection, wanted: Wanted, window: Window) -> Page[AuditEntry]:
    after = paging.decode(window.cursor, paging.Id)
    offset = paging.shallow(window)
    rows, total = await audit.listing(connection, wanted, after, offset, window.per_page + 1)
    shown = rows[: window.per_page]
    last = shown[-1]["id"] if len(rows) > len(shown) else None
    return paging.page(window, [_change(row) for row in shown], last, total)


async def _store_id(connection: Connection, token: Token, named: str) -> int:
    if token.store is not None:
        if named in {token.store.slug, token.store.ulid}:
            return token.store.id
    elif (store := await tenants.store_of_organisation(connection, token.organisation_id, named)) is not None:
        return store.id
    raise NotFoundError(f"This token knows no store {printable(named, _SHOWN)}.")


def _change(row: Record) -> AuditEntry:
    return AuditEntry(
        id=row["id"],
        at=time(row["at"]),
        store=row["store"],
        actor=row["actor"],
        token_id=row["token_id"],
        action=row["action"],
        subject=row["subject"],
        name=row["name"],
        detail=_decode(row["detail"]),
        request_id=row["request_id"],
    )
