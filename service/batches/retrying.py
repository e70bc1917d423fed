"""A batch whose displays are not all confirmed is driven again at once: its failures forgotten, nothing waited for."""

from dataclasses import dataclass, field
from typing import Any

from service import auditing, planning, progress
from service.auditing import Who
from service.batches import batch_states
from service.context import Shelfcast
from service.core.actions import Action
from service.core.batches import Status
from service.core.updates import Phase
from service.errors import ConflictError
from service.messages.batches import Retried
from service.store import batch_lists, displays, gateways, products, tags, updates
from service.store.database import Connection, Record
from service.store.statements import CHUNK
from service.store.tags import Tally


@dataclass
class _Retry:
    """One batch that is tried again; see `retry`."""

    ctx: Shelfcast
    store_id: int
    batch: Record
    who: Who
    rings: set[tuple[int, str]] = field(default_factory=set)
    found: int = 0
    driven: int = 0

    async def some(self, connection: Connection, after: str) -> tuple[int, int, set[tuple[int, str]], str | None]:
        """The next displays beyond `after`: how many, how many of them were set going, whom to ring, the last."""
        now = self.ctx.clock()
        await products.lock_store(connection, self.store_id)
        ids = await batch_lists.unconfirmed(connection, self.store_id, self.batch["id"], after, CHUNK)
        locked = await displays.lock(connection, self.store_id, ids, displays.PLANNED)
        wrong = {display["id"]: display for display in locked if not planning.is_right(display)}
        driving = await updates.open_of(connection, self.store_id, wrong)
        hurried = await self._hurry(connection, list(driving.values()), now)
        stranded = sorted(wrong.keys() - driving.keys())
        none = {"retry_at": None, "failure": None, "failure_detail": None}
        await displays.set_columns(connection, [{"store_id": self.store_id, "id": id_, **none} for id_ in stranded])
        planned = await planning.redrive(connection, self.store_id, stranded, now, "retry")
        going = hurried | set(planned.changed)
        await self._forget_failures(connection, going, now)
        if going:
            about = (self.batch["id"], self.batch["reference"])
            await auditing.note(connection, self.who, now, Action.BATCH_RETRIED, *about, displays=len(going))
        rings = {(self.store_id, wrong[id_]["gateway_id"]) for id_ in going} | planned.gateways
        return len(wrong), len(going), rings, ids[-1] if ids else None

    async def _hurry(self, connection: Connection, driving: list[Record], now: int) -> set[str]:
        """Let updates on their way be due now, with all their attempts: those that wait, and those long without proof.

        One that was handed over just now is left alone: nobody can have asked for its proof yet.
        """
        asked = now - int(self.ctx.settings.poll_every * 1000)
        waiting = [
            row for row in driving if row["phase"] == Phase.PENDING and (row["due_at"] > now or row["attempts"] > 0)
        ]
        silent = [row for row in driving if row["phase"] == Phase.SENT and row["sent_at"] <= asked]
        again: dict[str, Any] = {"phase": Phase.PENDING, "attempts": 0, "due_at": now, "confirm_by": None}
        rows = [{"store_id": self.store_id, "id": row["id"], **again} for row in waiting + silent]
        await updates.set_columns(connection, rows)
        return {row["display_id"] for row in waiting + silent}

    async def _forget_failures(self, connection: Connection, going: set[str], now: int) -> None:
        """Displays of this batch that failed are pending again."""
        tally = Tally(self.store_id)
        failed = [
            tag
            for tag in await tags.of_displays(connection, self.store_id, going)
            if tag["batch_id"] == self.batch["id"] and tag["state"] == "failed"
        ]
        for _ in failed:
            tally.move(self.batch["id"], "failed", "pending")
        forgotten = {"state": "pending", "closed_at": None, "reason": None, "detail": None}
        key = {"store_id": self.store_id, "batch_id": self.batch["id"]}
        await tags.set_columns(connection, [{**key, "display_id": tag["display_id"], **forgotten} for tag in failed])
        await tally.apply(connection)
        await progress.advance(connection, self.store_id, tally.batches, now, self.ctx.settings)


async def retry(ctx: Shelfcast, store_id: int, who: Who, session_id: str) -> Retried:
    """Set every display of the batch going that is not confirmed; what is proven is not touched.

    Once more at once changes nothing: what is due is due. Raises NotFoundError, ConflictError before it was saved.
    """
    async with ctx.db.read() as connection:
        batch = await batch_states.known(connection, store_id, session_id)
    if batch["status"] in {Status.OPEN, Status.HELD}:
        hint = "release it first" if batch["status"] == Status.HELD else "complete it first"
        raise ConflictError(f"The batch is {batch['status']}: nothing of it was saved yet; {hint}.")
    run = _Retry(ctx, store_id, batch, who)
    after: str | None = ""
    while after is not None:
        found, driven, rings, after = await ctx.db.write(run.some, after)
        run.found, run.driven, run.rings = run.found + found, run.driven + driven, run.rings | rings
    if run.driven:
        await ctx.db.write(gateways.try_now, store_id, [gateway for _, gateway in run.rings])
        await ctx.bell.ring_gateways(run.rings)
    return Retried(session_id=session_id, displays=run.found, retried=run.driven, under_way=run.found - run.driven)
