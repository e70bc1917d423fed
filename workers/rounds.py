"""The reconciler's rounds: at a steady pace by a clock that nobody turns, whatever the time of day is said to be.

No cron job of arq's, which waits an hour where the machine's clock is turned back by one.
"""

import asyncio

import structlog

from service import sync
from service.context import Shelfcast
from service.store.database import UNAVAILABLE

_AT_MOST = 60.0
"""Seconds for one round, which is all bounded work; the next one goes on."""

log = structlog.get_logger()


async def make_rounds(ctx: Shelfcast) -> None:
    """One at once, since we may be started after a death, and one every `reconcile_every`; until cancelled."""
    while True:
        try:
            async with asyncio.timeout(_AT_MOST):
                await sync.reconcile(ctx)
        except UNAVAILABLE as error:
            log.warning("round_broken_off", error=repr(error))
        except Exception:
            log.exception("round_failed")
        await asyncio.sleep(ctx.settings.reconcile_every)
