"""What the operator does with requests for production: look at them, grant one, refuse one.

A token that is granted is sealed until the sandbox's integration fetches it, once, or shown to the operator, once.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from service.auditing import Who, note
from service.context import Shelfcast
from service.core import onboarding as core
from service.core.actions import Action
from service.core.onboarding import Item, State
from service.errors import ConflictError, ValidationError
from service.store import onboarding as store
from service.store import products
from service.store.database import Connection, Record
from service.store.tenants import Store
from service.tenants import onboarding, tokens
from service.tenants.stores import known_store
from service.tenants.tokens import Issued, Owner, Wanted

UNASKED = "none: granted without a request"


class Waiting(msgspec.Struct, frozen=True):
    """A request, and what its integration has not done so far."""

    row: Record
    missing: tuple[str, ...]


async def requests(ctx: Shelfcast, *, everything: bool = False) -> list[Waiting]:
    """The open ones, or all; the oldest first."""
    async with ctx.db.read() as conn:
        rows = await store.requests(conn, None if everything else State.OPEN)
        lists = [await onboarding.checklist(conn, row["store_id"]) for row in rows]
    return [Waiting(row, tuple(core.missing(items))) for row, items in zip(rows, lists, strict=True)]


async def grant(
    ctx: Shelfcast, sandbox: str, live: str, wanted: Wanted, *, by: str, override: str | None = None, show: bool = False
) -> Issued:
    """Make a token of the live store for the integration of the sandbox.

    With `show` it is in the answer alone; else it is kept, sealed, until it is fetched. `override`: why it is granted
    although the checklist is not complete; it stays on record, as does the checklist.
    Raises ConflictError for an incomplete checklist without it, and without a request.
    """
    now = ctx.clock()
    tokens.check_plan(ctx.settings, wanted.plan)

    async def work(conn: Connection) -> Issued:
        lab, shop = await _pair(conn, sandbox, live)
        await products.lock_store(conn, lab.id)
        items = await onboarding.checklist(conn, lab.id)
        _refuse_incomplete(items, override)
        who = Who(lab.organisation_id, lab.id, by)
        request = await _open(conn, lab, override, items, who, now)
        issued = await tokens.create(
            conn, Owner(shop.organisation_id, shop), wanted, Who(shop.organisation_id, shop.id, by), now
        )
        await store.set_request(
            conn,
            lab.id,
            request["id"],
            state=State.GRANTED,
            checklist=msgspec.json.encode(items).decode(),
            decided_at=now,
            decided_by=by,
            override=override,
            live_store_id=shop.id,
            token_id=issued.id,
            token=None if show else ctx.sealer.seal(issued.token),
        )
        told: dict[str, Any] = {"liveStore": shop.slug, "tokenId": issued.id, "override": override}
        told["missing"] = list(core.missing(items))
        await note(conn, who, now, Action.PRODUCTION_GRANTED, request["id"], lab.slug, **told)
        return issued

    return await ctx.db.write(work)


async def _pair(conn: Connection, sandbox: str, live: str) -> tuple[Store, Store]:
    lab, shop = await known_store(conn, sandbox), await known_store(conn, live)
    if lab.environment != onboarding.SANDBOX or shop.environment == onboarding.SANDBOX:
        raise ValidationError(
            f"{sandbox} is {lab.environment} and {live} is {shop.environment}; name the sandbox, and then a live store."
        )
    if lab.organisation_id != shop.organisation_id:
        raise ValidationError(f"{sandbox} belongs to {lab.organisation} and {live} to {shop.organisation}.")
    return lab, shop


def _refuse_incomplete(items: Sequence[Item], override: str | None) -> None:
    missing = core.missing(items)
    if missing and override is None:
        raise ConflictError(
            f"The integration has not done everything: {', '.join(missing)}. Wait, or give --override with the reason,"
            " which stays on record."
        )


async def _open(
    conn: Connection, lab: Store, override: str | None, items: Sequence[Item], who: Who, now: int
) -> Record:
    """The open request; with an override it is made where there is none."""
    newest = await store.newest_request(conn, lab.id)
    if newest is not None and newest["state"] == State.OPEN:
        return newest
    if override is None:
        raise ConflictError(f"Nobody asks for production in {lab.slug}; --override grants it nevertheless.")
    await onboarding.insert(conn, lab.id, UNASKED, None, items, who, now)
    made = await store.newest_request(conn, lab.id)
    assert made is not None  # noqa: S101 - it was inserted just now
    return made


async def refuse(ctx: Shelfcast, sandbox: str, reason: str, *, by: str) -> None:
    """Refuse the open request; the integration reads the reason. Raises ConflictError where none is open."""
    now = ctx.clock()

    async def work(conn: Connection) -> None:
        lab = await known_store(conn, sandbox)
        await products.lock_store(conn, lab.id)
        newest = await store.newest_request(conn, lab.id)
        if newest is None or newest["state"] != State.OPEN:
            raise ConflictError(f"No request of {sandbox} is open; shelfcast production list shows what is.")
        decided = {"state": State.REFUSED, "decided_at": now, "decided_by": by, "reason": reason}
        await store.set_request(conn, lab.id, newest["id"], **decided)
        who = Who(lab.organisation_id, lab.id, by)
        await note(conn, who, now, Action.PRODUCTION_REFUSED, newest["id"], lab.slug, reason=reason)

    await ctx.db.write(work)
