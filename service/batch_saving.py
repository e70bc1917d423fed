"""The saving phase of one batch: staged pushes become products, and displays of changed products get their faces.

A push that changes much is one transaction, with the faces of displays that show one of its products, and pushes that
change little share one: a worker that is killed leaves a batch that the next one goes on with. Displays of several
products are planned after the last push, a thousand to a transaction, so that each is drawn once.
"""

from contextlib import suppress
from dataclasses import dataclass

import msgspec

from service import planning, progress, saving
from service.batches.price_guard import Choice, PriceGuard
from service.context import Shelfcast
from service.core import batches as core
from service.core import staged
from service.core.batches import Phase, Status
from service.core.guards import MOST_EXAMPLES, Guards, Objection, archiving
from service.core.happenings import Kind
from service.core.product import StoreFacts
from service.saving import Saved, Source
from service.store import batches, displays, products, tags, tenants
from service.store.database import Connection, Record
from service.store.statements import CHUNK, chunks
from service.webhooks import telling

_decode_guards = msgspec.json.Decoder(Guards).decode
_encode = msgspec.json.Encoder().encode

_FEW = 100
"""Products that pushes may change before their transaction is over: while nothing changes, the next push joins it."""
_MOST_PUSHES = 10
"""In one transaction, so that a thousand unchanged rows cost no commit of their own, and nobody waits for long."""
_HOPELESS = 5
"""Failures of the same batch after which it is given up; a database that is away does not count."""


class LostLeaseError(Exception):
    """Another worker saves this store now."""


class _EndedError(Exception):
    """The batch was cancelled, or given up, while it was being saved."""


@dataclass(frozen=True)
class Saver:
    """One worker's turn at the batches of one store."""

    ctx: Shelfcast
    store_id: int
    worker: str
    until: int

    async def save(self, batch_id: str) -> bool:
        """Take one batch through its saving phase, from wherever it is, and ring the gateways; False: time ran out.

        Raises LostLeaseError; whatever else it raises, the batch can be saved again from where it stands.
        """
        async with self.ctx.db.read() as connection:
            batch = await batches.get(connection, self.store_id, batch_id)
            pushes = await batches.pushes(connection, self.store_id, batch_id)
        if batch is None:
            return True
        if batch["status"] == Status.PROCESSING:
            chosen = Choice(batch)
            winners = await self._winners(batch_id, pushes, chosen)
            if await self._is_held(batch, pushes, winners, chosen):
                return True
            with suppress(_EndedError):  # what was saved before still gets its faces
                if not await self._save_products(batch, pushes, winners):
                    return False
        await self._plan_faces(batch_id)
        await self._finish(batch_id)
        return True

    async def _winners(self, batch_id: str, pushes: list[Record], chosen: Choice) -> dict[str, int]:
        """Barcode -> where its last row stands; the last row of a barcode wins. The guard chooses rows as they pass."""
        winners: dict[str, int] = {}
        for place, push in enumerate(pushes):
            async with self.ctx.db.read() as connection:
                held = await batches.staged_rows(connection, self.store_id, batch_id, push["number"])
            named = staged.barcodes(held)
            winners.update((barcode, place * CHUNK + index) for index, barcode in named)
            chosen.look(place, push, held, named)
        return winners

    async def _is_held(self, batch: Record, pushes: list[Record], winners: dict[str, int], chosen: Choice) -> bool:
        """Ask the guards before anything is saved."""
        if batch["released_by"] or any(push["saved_at"] for push in pushes):
            return False
        async with self.ctx.db.read() as connection:
            store = await tenants.store_record(connection, self.store_id)
        guards = _decode_guards(store["guards"])
        prices = PriceGuard(self.ctx, store, batch, winners, guards)
        found = await prices.objection(chosen, pushes, lambda: self.ctx.db.write(self._keep))
        if batch["mode"] != "full" and found is None:
            return False

        async def work(connection: Connection) -> bool:
            await self._keep(connection)
            objection = found or await self._too_many_archived(connection, batch, winners, guards)
            if objection:
                held = {"status": Status.HELD, "phase": None, "reason": objection.reason}
                detail = {"guard": objection.guard, "guard_detail": _encode(objection).decode()}
                await batches.set_columns(connection, self.store_id, batch["id"], **held, **detail)
                await telling.of_batch(connection, Kind.BATCH_HELD, batch, self.ctx.clock(), **held)
            return objection is not None

        return await self.ctx.db.write(work)

    async def _too_many_archived(
        self, connection: Connection, batch: Record, winners: dict[str, int], guards: Guards
    ) -> Objection | None:
        missing, on_sale = await self._missing(connection, batch, winners)
        objection = archiving(guards, len(missing), on_sale)
        if objection is None:
            return None
        examples = await saving.priced(connection, self.store_id, missing[:MOST_EXAMPLES], self.ctx.clock())
        return msgspec.structs.replace(objection, examples=tuple(examples))

    async def _save_products(self, batch: Record, pushes: list[Record], winners: dict[str, int]) -> bool:
        """Save what is not saved yet; False: time ran out. Raises _EndedError."""
        place = 0
        while place < len(pushes):
            if self.ctx.clock() >= self.until:
                return False
            place, planned = await self.ctx.db.write(self._save_some, batch, pushes, place, winners)
            await self.ctx.bell.ring_gateways(planned.gateways)
        if batch["mode"] == "full":
            await self._archive(batch, winners)
        return True

    async def _save_some(
        self, connection: Connection, batch: Record, pushes: list[Record], place: int, winners: dict[str, int]
    ) -> tuple[int, planning.Planned]:
        """Save pushes from this place on, as many as are soon done; the place of the next push, and whom to ring.

        Displays that show one of their products and no other are planned with them.
        Raises _EndedError, with nothing saved, if the batch was ended meanwhile.
        """
        now, batch_id = self.ctx.clock(), batch["id"]
        store = await self._keep(connection)
        total, numbers, duplicates = Saved(), list[int](), 0
        for push in pushes[place : place + _MOST_PUSHES]:
            if push["saved_at"] is None:
                source = Source("batch", "whole", now, batch_id, batch_id, push["number"], batch["token_id"])
                saved, doubles = await self._save_push(connection, saving.facts_of(store), source, push, winners, place)
                total.add(saved)
                numbers.append(push["number"])
                duplicates += doubles
            place += 1
            if len(total.touched) >= _FEW or self.ctx.clock() >= self.until:
                break
        planned = await self._plan_touched(connection, batch_id, total, now)
        # Displays before their batch, as whoever notes an outcome takes them.
        await self._require_processing(connection, batch_id)
        await self._count(connection, batch_id, total, duplicates=duplicates)
        await batches.mark_saved(connection, self.store_id, batch_id, numbers, now)
        await batches.set_columns(connection, self.store_id, batch_id, progress=core.saving(place, len(pushes)))
        return place, planned

    async def _save_push(
        self,
        connection: Connection,
        facts: StoreFacts,
        source: Source,
        push: Record,
        winners: dict[str, int],
        place: int,
    ) -> tuple[Saved, int]:
        """What became of those rows of a push that win, and how many others it has; nothing if it is saved already."""
        held = await batches.unsaved_rows(connection, self.store_id, push["batch_id"], push["number"])
        rows = staged.rows(held or b"[]")
        last = [
            (push["first_seq"] + row.place, row) for row in rows if winners[row.barcode] == place * CHUNK + row.place
        ]
        saved = await saving.save_held(connection, self.store_id, facts, last, source)
        errors = batches.error_rows(self.store_id, push["batch_id"], push["number"], saved.problems)
        await batches.insert_errors(connection, errors)
        return saved, len(rows) - len(last)

    async def _count(self, connection: Connection, batch_id: str, saved: Saved, *, duplicates: int) -> None:
        await batches.add_to(
            connection,
            self.store_id,
            batch_id,
            products_created=saved.created,
            products_updated=saved.updated,
            products_unchanged=saved.unchanged,
            products_stale=saved.stale,
            products_duplicate=duplicates,
            products_rejected=saved.rejected,
        )

    async def _plan_touched(self, connection: Connection, batch_id: str, saved: Saved, now: int) -> planning.Planned:
        """Displays of one product are planned at once; a later push may hold the other product of those of two."""
        slots = await displays.of_barcodes(connection, self.store_id, saved.touched)
        alone = {id_: bound for id_, bound in slots.items() if len(bound) == 1}
        await tags.expect(connection, self.store_id, batch_id, slots.keys() - alone.keys())
        planned = await planning.plan_displays(connection, self.store_id, alone, now, "batch", batch_id, saved.touched)
        await progress.advance(connection, self.store_id, set(planned.batches) - {batch_id}, now, self.ctx.settings)
        return planned

    async def _require_processing(self, connection: Connection, batch_id: str) -> None:
        batch = await batches.get(connection, self.store_id, batch_id, lock=True)
        if batch is None or batch["status"] != Status.PROCESSING:
            raise _EndedError

    async def _archive(self, batch: Record, winners: dict[str, int]) -> None:
        """Full mode: what the batch does not name goes off sale."""
        async with self.ctx.db.read() as connection:
            missing, _ = await self._missing(connection, batch, winners)
        for some in chunks(missing):
            await self.ctx.db.write(self._archive_some, batch["id"], some)

    async def _missing(self, connection: Connection, batch: Record, winners: dict[str, int]) -> tuple[list[str], int]:
        """What the batch does not name, not even in a row that was refused; and how many products are on sale."""
        named = winners.keys() | await batches.refused_barcodes(connection, self.store_id, batch["id"])
        return await products.not_named(connection, self.store_id, named, batch["started_seq"])

    async def _archive_some(self, connection: Connection, batch_id: str, barcodes: list[str]) -> None:
        store = await self._keep(connection)
        batch = await batches.get(connection, self.store_id, batch_id, lock=True)
        if batch is None or batch["status"] != Status.PROCESSING:
            return
        source = Source("archive", "whole", self.ctx.clock(), batch_id, batch_id, token_id=batch["token_id"])
        archived = await saving.archive(connection, store, barcodes, batch["started_seq"], source)
        affected = await displays.of_barcodes(connection, self.store_id, archived)
        await tags.expect(connection, self.store_id, batch_id, affected)
        await batches.add_to(connection, self.store_id, batch_id, products_archived=len(archived))

    async def _plan_faces(self, batch_id: str) -> None:
        """Plan the displays that saving noted, also those of a batch that was cancelled meanwhile, or has failed."""
        after: str | None = ""
        while after is not None:
            planned, after = await self.ctx.db.write(self._plan_some, batch_id, after)
            await self.ctx.bell.ring_gateways(planned.gateways)

    async def _plan_some(
        self, connection: Connection, batch_id: str, after: str
    ) -> tuple[planning.Planned, str | None]:
        """Plan the next displays beyond `after`; and the last of them, None if there were no more."""
        await self._keep(connection)
        some = await tags.unplanned(connection, self.store_id, batch_id, after, CHUNK)
        if not some:
            return planning.Planned(), None
        batch = await batches.get(connection, self.store_id, batch_id)
        ended = batch is None or batch["status"] != Status.PROCESSING
        if ended:
            await tags.forget(connection, self.store_id, batch_id, some)
        now = self.ctx.clock()
        slots = await displays.slots(connection, self.store_id, some)
        planned = await planning.plan_displays(
            connection, self.store_id, slots, now, "batch", None if ended else batch_id
        )
        others = set(planned.batches) - {batch_id}
        await progress.advance(connection, self.store_id, others, now, self.ctx.settings)
        return planned, some[-1]

    async def _finish(self, batch_id: str) -> None:
        """Saving is over: on to the displays, or to the end if none has a new face, or if the batch was ended."""
        if not await self.ctx.db.write(self._go_on, batch_id):
            await self.ctx.db.write(self._take_out, batch_id)

    async def _go_on(self, connection: Connection, batch_id: str) -> bool:
        """False: the batch was ended."""
        batch = await batches.get(connection, self.store_id, batch_id, lock=True)
        if batch is not None and batch["status"] != Status.PROCESSING:
            return False
        if batch is not None:
            now = self.ctx.clock()
            await telling.of_refused_rows_of_batch(connection, batch, now)
            await batches.set_columns(connection, self.store_id, batch_id, phase=Phase.SYNCING)
            await progress.advance(connection, self.store_id, [batch_id], now, self.ctx.settings)
        return True

    async def _take_out(self, connection: Connection, batch_id: str) -> None:
        """What was not sent of a batch that was ended."""
        await displays.lock(connection, self.store_id, await tags.unsent(connection, self.store_id, batch_id))
        batch = await batches.get(connection, self.store_id, batch_id, lock=True)
        if batch is not None and batch["phase"] is not None:
            dropped = await tags.drop_unsent(connection, self.store_id, batch_id)
            await batches.set_columns(
                connection, self.store_id, batch_id, phase=None, tags_total=batch["tags_total"] - dropped
            )
            await batches.drop_staged(connection, self.store_id, batch_id)

    async def _keep(self, connection: Connection) -> Record:
        """The store, locked, and this worker's lease on it renewed."""
        now = self.ctx.clock()
        until = now + int(self.ctx.settings.lease * 1000)
        store = await products.lock_store(connection, self.store_id)
        if not await batches.lease_saver(connection, self.store_id, self.worker, now, until):
            raise LostLeaseError
        return store


async def count_failure(connection: Connection, store_id: int, batch_id: str, error: str, now: int) -> None:
    """Saving raised something that waiting does not mend; after some such failures the batch is given up."""
    await batches.add_to(connection, store_id, batch_id, failures=1)
    batch = await batches.get(connection, store_id, batch_id)
    if batch is None or batch["failures"] < _HOPELESS:
        return
    failed = {
        "status": Status.FAILED,
        # Its phase stays, so that displays of what it has saved are planned, unless that is what fails.
        "phase": batch["phase"] if batch["failures"] < 2 * _HOPELESS else None,
        "reason": f"Saving failed {_HOPELESS} times ({error}); see the log. Push the products again.",
        "completed_at": now,
    }
    await batches.set_columns(connection, store_id, batch_id, **failed)
    if batch["status"] != Status.FAILED:
        await telling.of_batch(connection, Kind.BATCH_FAILED, batch, now, **failed)
