"""The worker's courier: looks in the database for webhooks that are due, and posts them, some endpoints at a time.

It is rung for by nobody: a look costs a fraction of a millisecond, finds what any process wrote and what is due again,
and needs no Redis. It takes none of the places for jobs, so that receivers which do not answer delay no price.
"""

import asyncio

import structlog

from service.context import Shelfcast
from service.ids import new_id
from service.store.database import UNAVAILABLE
from service.webhooks import delivering
from service.webhooks.posting import Poster

_LOOK_EVERY = 1.0
_MOST_ENDPOINTS = 32
"""That one process serves at once."""

log = structlog.get_logger()


class Courier:
    """Every endpoint is served by one task of a process at a time."""

    def __init__(self, ctx: Shelfcast) -> None:
        self._ctx = ctx
        self._poster = Poster.of(ctx.settings)
        self._serving: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until cancelled; what is being posted then is posted again by somebody else."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(_LOOK_EVERY)
        finally:
            serving = list(self._serving.values())
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)

    async def _look(self) -> None:
        try:
            found = await delivering.due(self._ctx)
        except UNAVAILABLE as error:
            log.debug("no_look_for_webhooks", error=repr(error))
            return
        except Exception:
            log.exception("no_look_for_webhooks")
            return
        for webhook_id in found:
            if len(self._serving) >= _MOST_ENDPOINTS:
                return
            if webhook_id not in self._serving:
                self._serving[webhook_id] = asyncio.create_task(self._serve(webhook_id))

    async def _serve(self, webhook_id: str) -> None:
        """As long as something is due to it."""
        try:
            while await delivering.serve(self._ctx, self._poster, webhook_id, new_id()):
                pass
        except UNAVAILABLE as error:
            log.warning("webhooks_not_written", webhook_id=webhook_id, error=repr(error))
        except Exception:
            log.exception("webhooks_not_posted", webhook_id=webhook_id)
        finally:
            del self._serving[webhook_id]
