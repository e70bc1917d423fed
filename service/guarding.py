"""What an operator does with a batch that a guard holds: let it go on. Cancelling is the feed API's verb."""

from service.context import Shelfcast
from service.core.batches import Phase, Status
from service.errors import ConflictError, NotFoundError
from service.store import batches
from service.store.database import Connection
from service.stores import known_store


async def release(ctx: Shelfcast, store: str, session_id: str, by: str) -> None:
    """Let a held batch be saved; `by` stays on record. Raises NotFoundError, ConflictError if it is not held."""

    async def work(connection: Connection) -> int:
        owner = await known_store(connection, store)
        batch = await batches.get(connection, owner.id, session_id, lock=True)
        if batch is None:
            raise NotFoundError(f"Store {store} has no batch {session_id}.")
        if batch["status"] != Status.HELD:
            raise ConflictError(f"The batch is {batch['status']}; only a held one is released.")
        await batches.set_columns(
            connection, owner.id, session_id, status=Status.PROCESSING, phase=Phase.SAVING, reason=None, released_by=by
        )
        return owner.id

    store_id = await ctx.db.write(work)
    await ctx.bell.ring_saver(store_id)
