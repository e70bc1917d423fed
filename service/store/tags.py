"""The displays of a batch ("tags" in the feed API), and the batch's counters of them.

The counters on the batch move by what changed, in the same transaction, so that a poll of the status reads one row.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from display_drivers.base import Proof
from service.store.displays import MAINTENANCE
from service.store.statements import Rows, change, chunks, is_among, upsert
from service.store.tables import batch_displays, batches, displays, gateways, tag_may_be_proven, updates

_COUNTERS = (
    "tags_total",
    "tags_sent",
    "tags_confirmed",
    "tags_failed",
    "tags_superseded",
    "proof_displayed",
    "proof_delivered",
    "proof_accepted",
)
_COUNTER_OF_STATE = {"confirmed": "tags_confirmed", "failed": "tags_failed", "superseded": "tags_superseded"}


class Tally:
    """What one transaction changes in the counters of batches."""

    def __init__(self, store_id: int) -> None:
        self._store_id = store_id
        self._deltas: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_COUNTERS, 0))

    @property
    def batches(self) -> list[str]:
        return sorted(self._deltas)

    def add(self, batch_id: str, counter: str, delta: int = 1) -> None:
        self._deltas[batch_id][counter] += delta

    def move(self, batch_id: str, old: str | None, new: str) -> None:
        """One display of this batch goes from one state to another; None: it is new to the batch."""
        for state, delta in ((old, -1), (new, 1)):
            if state in _COUNTER_OF_STATE:
                self.add(batch_id, _COUNTER_OF_STATE[state], delta)

    def prove(self, batch_id: str, proof: int) -> None:
        self.add(batch_id, f"proof_{Proof(proof).word}")

    async def apply(self, connection: AsyncConnection) -> None:
        if not self._deltas:
            return
        statement = (
            update(batches)
            .where(batches.c.store_id == bindparam("of_store"), batches.c.id == bindparam("of_batch"))
            .values({name: batches.c[name] + bindparam(f"d_{name}") for name in _COUNTERS})
        )
        rows = [
            {"of_store": self._store_id, "of_batch": id_, **{f"d_{name}": n for name, n in self._deltas[id_].items()}}
            for id_ in self.batches
        ]
        await connection.execute(statement, rows)


async def expect(connection: AsyncConnection, store_id: int, batch_id: str, display_ids: Collection[str]) -> None:
    """Note that a product on these displays changed; their faces are planned once the whole batch is saved."""
    rows = [{"store_id": store_id, "batch_id": batch_id, "display_id": id_, "state": "pending"} for id_ in display_ids]
    await upsert(connection, batch_displays, rows, ("store_id", "batch_id", "display_id"))


async def unplanned(connection: AsyncConnection, store_id: int, batch_id: str, after: str, limit: int) -> list[str]:
    """Displays that saving noted and whose face is not planned yet, in the order of ids, beyond `after`."""
    rows = await connection.execute(
        select(batch_displays.c.display_id)
        .where(
            batch_displays.c.store_id == store_id,
            batch_displays.c.batch_id == batch_id,
            batch_displays.c.digest.is_(None),
            batch_displays.c.display_id > after,
        )
        .order_by(batch_displays.c.display_id)
        .limit(limit)
    )
    return list(rows.scalars())


async def forget(connection: AsyncConnection, store_id: int, batch_id: str, display_ids: Collection[str]) -> None:
    """These displays have no new face after all."""
    for some in chunks(sorted(display_ids)):
        await connection.execute(
            delete(batch_displays).where(
                batch_displays.c.store_id == store_id,
                batch_displays.c.batch_id == batch_id,
                is_among(connection, batch_displays.c.display_id, some),
            )
        )


async def drop_unsent(connection: AsyncConnection, store_id: int, batch_id: str) -> int:
    """Take what was not sent yet out of this batch; how many of them had been counted."""
    unsent = _unsent(store_id, batch_id)
    counted = await connection.execute(select(func.count()).where(unsent, batch_displays.c.digest.is_not(None)))
    await connection.execute(delete(batch_displays).where(unsent))
    return int(counted.scalar_one())


async def unsent(connection: AsyncConnection, store_id: int, batch_id: str) -> list[str]:
    """Displays that `drop_unsent` would take out, to be locked before the batch is."""
    rows = await connection.execute(select(batch_displays.c.display_id).where(_unsent(store_id, batch_id)))
    return list(rows.scalars())


def _unsent(store_id: int, batch_id: str) -> ColumnElement[bool]:
    return and_(
        batch_displays.c.store_id == store_id,
        batch_displays.c.batch_id == batch_id,
        batch_displays.c.state == "pending",
        batch_displays.c.sent_at.is_(None),
    )


async def of_displays(connection: AsyncConnection, store_id: int, display_ids: Collection[str]) -> list[RowMapping]:
    """Rows of these displays that may still be proven."""
    found: list[RowMapping] = []
    for some in chunks(sorted(display_ids)):
        rows = await connection.execute(
            select(batch_displays).where(
                batch_displays.c.store_id == store_id,
                is_among(connection, batch_displays.c.display_id, some),
                batch_displays.c.digest.is_not(None),
                tag_may_be_proven,
            )
        )
        found.extend(rows.mappings().all())
    return found


async def superseded_of(
    connection: AsyncConnection, store_id: int, batch_id: str, update_ids: Collection[str]
) -> list[RowMapping]:
    """Rows of this batch that were given up when these updates, which were made for them, were superseded."""
    found: list[RowMapping] = []
    for some in chunks(sorted(update_ids)):
        rows = await connection.execute(
            select(batch_displays).where(
                batch_displays.c.store_id == store_id,
                batch_displays.c.batch_id == batch_id,
                is_among(connection, batch_displays.c.update_id, some),
                batch_displays.c.state == "superseded",
            )
        )
        found.extend(rows.mappings().all())
    return found


async def enter(connection: AsyncConnection, rows: Rows) -> None:
    """Displays with their new face, new to their batch or noted by `expect` before; each row holds the same columns."""
    key = ("store_id", "batch_id", "display_id")
    if rows:
        await upsert(connection, batch_displays, rows, key, [name for name in rows[0] if name not in key])


async def set_columns(connection: AsyncConnection, rows: Rows) -> None:
    """Set some columns; each row holds store_id, batch_id, display_id and the same columns."""
    await change(connection, batch_displays, rows, ("store_id", "batch_id", "display_id"))


async def any_waiting(connection: AsyncConnection, store_id: int, batch_id: str, since: int) -> bool:
    """Whether a display of this batch is still to be sent, by a gateway that answered after `since`.

    A display that its gateway has put off ever since does not count either, nor one whose gateway is in maintenance.
    """
    its_display = (displays.c.store_id == batch_displays.c.store_id) & (displays.c.id == batch_displays.c.display_id)
    its_gateway = (gateways.c.store_id == displays.c.store_id) & (gateways.c.id == displays.c.gateway_id)
    its_update = (updates.c.store_id == batch_displays.c.store_id) & (updates.c.id == batch_displays.c.update_id)
    statement = (
        select(batch_displays.c.display_id)
        .join(displays, its_display)
        .join(gateways, its_gateway)
        .outerjoin(updates, its_update)
        .where(
            batch_displays.c.store_id == store_id,
            batch_displays.c.batch_id == batch_id,
            batch_displays.c.state == "pending",
            batch_displays.c.sent_at.is_(None),
            displays.c.retired_at.is_(None),
            gateways.c.retired_at.is_(None),
            gateways.c.maintenance_since.is_(None),
            gateways.c.unreachable_since.is_(None) | (gateways.c.unreachable_since > since),
            (func.coalesce(updates.c.attempts, 0) == 0) | (batch_displays.c.planned_at > since),
        )
        .limit(1)
    )
    return (await connection.execute(statement)).first() is not None


async def closed_unsent(connection: AsyncConnection, store_id: int, batch_id: str) -> int:
    """Displays of this batch that were refused or superseded before they were ever sent."""
    statement = select(func.count()).where(
        batch_displays.c.store_id == store_id,
        batch_displays.c.batch_id == batch_id,
        batch_displays.c.state != "pending",
        batch_displays.c.sent_at.is_(None),
    )
    return int((await connection.execute(statement)).scalar_one())


async def listing(
    connection: AsyncConnection, store_id: int, batch_id: str, state: str | None, after: str, offset: int, limit: int
) -> list[dict[str, Any]]:
    """Displays of a batch with address, gateway and what their update says, in the order of display ids."""
    its_display = (displays.c.store_id == batch_displays.c.store_id) & (displays.c.id == batch_displays.c.display_id)
    its_gateway = (gateways.c.store_id == displays.c.store_id) & (gateways.c.id == displays.c.gateway_id)
    its_update = (updates.c.store_id == batch_displays.c.store_id) & (updates.c.id == batch_displays.c.update_id)
    statement = (
        select(
            batch_displays,
            displays.c.address,
            gateways.c.name.label("gateway"),
            gateways.c.unreachable_since,
            gateways.c.error.label("gateway_error"),
            *MAINTENANCE,
            updates.c.error.label("update_error"),
            updates.c.detail.label("update_detail"),
        )
        .join(displays, its_display)
        .join(gateways, its_gateway)
        .outerjoin(updates, its_update)
        .where(_counted(store_id, batch_id, state), batch_displays.c.display_id > after)
        .order_by(batch_displays.c.display_id)
        .offset(offset)
        .limit(limit)
    )
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


async def count(connection: AsyncConnection, store_id: int, batch_id: str, state: str | None) -> int:
    statement = select(func.count()).select_from(batch_displays).where(_counted(store_id, batch_id, state))
    return int((await connection.execute(statement)).scalar_one())


def _counted(store_id: int, batch_id: str, state: str | None) -> Any:
    where = [
        batch_displays.c.store_id == store_id,
        batch_displays.c.batch_id == batch_id,
        batch_displays.c.digest.is_not(None),
    ]
    return and_(*where, *([batch_displays.c.state == state] if state else []))
