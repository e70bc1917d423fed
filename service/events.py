"""A batch as a stream: its state at once, every change as it comes, an end after the last.

Changes are read from the database, which needs no Redis and sees what any process wrote.
"""

import asyncio
from collections.abc import AsyncIterator

from service import feed
from service.context import Shelfcast
from service.core.batches import TERMINAL
from service.messages import Status
from service.tenants.callers import Caller

LOOK_EVERY = 0.5
"""Seconds between two looks at a batch."""


async def watch(ctx: Shelfcast, caller: Caller, session_id: str) -> AsyncIterator[Status]:
    """Raises NotFoundError before the first state if the store has no such batch."""
    last = None
    while last is None or last.status not in TERMINAL:
        status = await feed.status(ctx, caller, session_id)
        if status != last:
            yield status
        last = status
        if status.status not in TERMINAL:
            await asyncio.sleep(LOOK_EVERY)
