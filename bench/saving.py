"""(b) Saving a batch whose products all have a display: everything changed, and one in a hundred changed."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from bench.harness import Figure, Goal, Sizes, middle, ratios
from bench.places import Place, furnish
from bench.products import Rows, barcode, made_rows, pushes
from display_drivers.base import Proof
from service import feed, sync
from service.context import Shelfcast, opened
from service.core.batches import Status
from service.core.updates import Phase
from service.ids import new_id
from service.store import batches, tables
from service.store.database import Connection
from service.tenants import tokens
from service.tenants.tokens import Caller

CHANGED = Goal(8, 5)
MOSTLY_SAME = Goal(3, 2)

_ONE_IN = 100
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


async def measure(place: Place, sizes: Sizes) -> list[Figure]:
    async with opened(place.settings) as ctx:
        bound = {f"SIM{number + 1:06d}": barcode(number) for number in range(sizes.products)}
        token = await furnish(ctx, bound, {"g1": "http://127.0.0.1:9/gateways/g1"}, dict.fromkeys(bound, "g1"))
        bench = _Bench(ctx, await tokens.caller(ctx, await tokens.identify(ctx, token)))
        await bench.save(made_rows(sizes.products))
        changed, floor, few, light_floor = [], [], [], []
        for turn in range(1, sizes.runs + 1):
            rows = made_rows(sizes.products, turn)
            changed.append(await bench.save(rows))
            floor.append(await bench.upsert_again())
            for number in range(0, len(rows), _ONE_IN):
                rows[number]["price"] = "999.99"
            few.append(await bench.save(rows))
            light_floor.append(await bench.compare(rows))
    count = f"{sizes.products:,} products"
    return [
        Figure(
            f"(b) saving {count}, all changed, each on a display / bare upsert of them",
            place.database,
            ratios(changed, floor),
            "x",
            CHANGED,
            f"{middle(changed)} s and {middle(floor)} s; {_each(changed, sizes)} µs a product",
        ),
        Figure(
            f"(b) saving {count}, 1 % changed / decoding them and reading their hashes",
            place.database,
            ratios(few, light_floor),
            "x",
            MOSTLY_SAME,
            f"{middle(few)} s and {middle(light_floor)} s; {_each(few, sizes)} µs a product",
        ),
    ]


def _each(seconds: list[float], sizes: Sizes) -> str:
    return middle([value / sizes.products * 1e6 for value in seconds])


class _Bench:
    def __init__(self, ctx: Shelfcast, caller: Caller) -> None:
        self._ctx = ctx
        self._caller = caller

    async def save(self, rows: Rows) -> float:
        """Seconds from completion to the end of the saving phase; everything is shown and proven afterwards."""
        await self._push(rows)

        async def work() -> None:
            while await sync.save_due(self._ctx, self._caller.store_id, new_id(), self._ctx.clock() + 20_000):
                pass

        seconds = await _timed(work)
        await self._ctx.db.write(_prove, self._caller.store_id, self._ctx.clock())
        return seconds

    async def upsert_again(self) -> float:
        """Seconds to write every product, with another time of change, in one statement and one transaction."""
        query = select(tables.products).where(tables.products.c.store_id == self._caller.store_id)
        async with self._ctx.db.read() as connection:
            found = (await connection.execute(query.order_by(tables.products.c.barcode))).mappings()
            rows = [{**row, "updated_at": row["updated_at"] + 1} for row in found]
        return await _timed(lambda: self._ctx.db.write(_upsert, rows))

    async def compare(self, rows: Rows) -> float:
        """Seconds to read a batch's staged rows, decode them and read the hashes of their products."""
        session_id = await self._push(rows, complete=False)

        async def work() -> None:
            async with self._ctx.db.read() as connection:
                for number in range(len(list(pushes(rows)))):
                    held = await batches.staged_rows(connection, self._caller.store_id, session_id, number)
                    barcodes = [row["barcode"] for row in _decode(held)]
                    (await connection.execute(_hashes(self._caller.store_id, barcodes))).all()

        seconds = await _timed(work)
        await feed.cancel(self._ctx, self._caller, session_id)
        return seconds

    async def _push(self, rows: Rows, *, complete: bool = True) -> str:
        session_id = (await feed.start(self._ctx, self._caller, None, "merge", None)).session_id
        for number, some in enumerate(pushes(rows)):
            raws = [msgspec.Raw(_encode(row)) for row in some]
            answer = await feed.push(self._ctx, self._caller, session_id, raws, body_hash=str(number))
            if answer.accepted != len(raws):
                raise RuntimeError(f"A row was refused: {answer.errors[0]}.")
        if complete:
            await feed.complete(self._ctx, self._caller, session_id)
        return session_id


async def _upsert(connection: Connection, rows: Rows) -> None:
    """The plain way of SQLAlchemy, which is not ours: see service/store/statements.py."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(tables.products)
    key = ["store_id", "barcode"]
    values = {name: statement.excluded[name] for name in rows[0] if name not in key}
    await connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values), rows)


def _hashes(store_id: int, barcodes: Sequence[str]) -> Any:
    return select(tables.products.c.barcode, tables.products.c.content_hash).where(
        tables.products.c.store_id == store_id, tables.products.c.barcode.in_(barcodes)
    )


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


async def _prove(connection: Connection, store_id: int, now: int) -> None:
    """What sending and verifying come to, in a statement for each table: every display shows what it should."""
    wanted = {"shown_digest": tables.displays.c.desired_digest, "shown_revision": tables.displays.c.desired_revision}
    proven = {"pushed_revision": tables.displays.c.desired_revision, "shown_proof": Proof.DISPLAYED, "shown_at": now}
    changes = (
        (tables.updates, "phase", (Phase.PENDING, Phase.SENT), {"phase": Phase.CONFIRMED, "closed_at": now}),
        (tables.batch_displays, "state", ("pending",), {"state": "confirmed", "sent_at": now, "closed_at": now}),
        (tables.batches, "status", (Status.PROCESSING,), {"status": Status.COMPLETED, "phase": None}),
    )
    await connection.execute(
        update(tables.displays).where(tables.displays.c.store_id == store_id).values(wanted | proven)
    )
    for table, column, before, after in changes:
        of_store = table.c.store_id == store_id
        await connection.execute(update(table).where(of_store, table.c[column].in_(before)).values(after))
