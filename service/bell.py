"""Telling the workers that there is something to do. The database says what; a ring that is lost costs time only.

Rings carry fresh ids: arq drops an enqueue whose id is running, and who works on what is settled by leases. With
`workers.main` the only module that knows arq.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
import structlog
from arq.connections import ArqRedis, RedisSettings
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, RedisError, TimeoutError  # noqa: A004 - Redis's own

from service.ids import new_id

Job = Literal["save", "push", "poll", "audit", "blink", "read_file"]
QUEUE = "shelfcast:rings"

serialize = msgspec.msgpack.encode
deserialize = msgspec.msgpack.decode
_LOST = (RedisError, OSError, asyncio.TimeoutError)
_TIMEOUT = 2.0
_SILENCE = 1.0
_EXPIRES = 600_000  # a ring this old (ms) was long replaced by the reconciler's

log = structlog.get_logger()


def redis_settings(dsn: str) -> RedisSettings:
    """How workers connect: patiently, since arq's default is to die with the first lost connection."""
    settings = RedisSettings.from_dsn(dsn)
    settings.conn_timeout = 5
    settings.conn_retries = 60
    settings.retry = Retry(ExponentialBackoff(cap=1, base=0.05), 30)
    settings.retry_on_error = [ConnectionError, TimeoutError, BusyLoadingError, OSError]
    settings.retry_on_timeout = True
    return settings


class Bell:
    """One process's line to the workers. Opening it asks nothing of Redis; ringing never raises."""

    def __init__(self, dsn: str) -> None:
        self._redis = ArqRedis(
            _pool(dsn), job_serializer=serialize, default_queue_name=QUEUE, expires_extra_ms=_EXPIRES
        )
        self._silent_until = 0.0

    async def ring_saver(self, store_id: int) -> None:
        await self._ring("save", store_id)

    async def ring_import(self, store_id: int, import_id: str) -> None:
        """Its file is to be read."""
        await self._ring("read_file", store_id, import_id)

    async def ring_gateway(self, store_id: int, gateway_id: str) -> None:
        """Its updates are due."""
        await self._ring("push", store_id, gateway_id)

    async def ring_gateways(self, gateways: Iterable[tuple[int, str]]) -> None:
        await asyncio.gather(*(self.ring_gateway(*gateway) for gateway in gateways))

    async def ring_poll(self, store_id: int, gateway_id: str, delay: float = 0.0, *, audit: bool = False) -> None:
        """Its displays are to be asked, in `delay` seconds; with `audit` all of them."""
        await self._ring("audit" if audit else "poll", store_id, gateway_id, delay=delay)

    async def ring_blinks(self, store_id: int, gateway_id: str) -> None:
        """Lights of its displays are to be flashed."""
        await self._ring("blink", store_id, gateway_id)

    async def ping(self) -> bool:
        try:
            await asyncio.wait_for(self._redis.ping(), _TIMEOUT)
        except _LOST:
            return False
        return True

    async def close(self) -> None:
        with contextlib.suppress(*_LOST):
            await self._redis.aclose(close_connection_pool=True)

    async def _ring(self, job: Job, *args: Any, delay: float = 0.0) -> None:
        now = time.monotonic()
        if now < self._silent_until:
            return
        try:
            await asyncio.wait_for(self._redis.enqueue_job(job, *args, _job_id=new_id(), _defer_by=delay), _TIMEOUT)
        except _LOST as error:
            # No request is to wait for a dead Redis more than once a second; workers find what is due once it is back.
            if not self._silent_until:
                log.warning(
                    "bell_silent",
                    error=str(error),
                    hint="Nothing is lost; workers find what is due once Redis is back.",
                )
            self._silent_until = now + _SILENCE
        else:
            self._silent_until = 0.0


def _pool(dsn: str) -> ConnectionPool:
    return ConnectionPool.from_url(dsn, socket_timeout=_TIMEOUT, encoding="utf8")
