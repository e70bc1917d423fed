"""One process's line to the counters in Redis: scripts that each answer in one round trip.

Whatever is asked while an answer is under way goes out together with the next, on one connection: so a flood of
requests costs Redis a few round trips, and never opens more connections. If Redis is away or slow there is no answer,
None, and whoever asks goes on without. Once it is away nobody waits for it: whether it is back is found out beside.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Coroutine, Iterable, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple, TypeVar, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

SILENCE = 1.0
"""Seconds before a Redis that did not answer is looked after again."""
PATIENCE = 0.25
"""Seconds, a thousand times what it takes: enough for a Redis that forks or writes its file."""
_CALM = 2.0
"""Seconds to find out whether it is back: nobody waits, and a connection over TLS may take its time."""
_TURNS = 10
_TOGETHER = 100
"""Questions in one round trip, 3 ms of work for Redis."""
_LOST = (RedisError, OSError, asyncio.TimeoutError)

Numbers = list[int]
T = TypeVar("T")

log = structlog.get_logger(__name__)


class Script(NamedTuple):
    """Lua that Redis keeps by its hash (EVALSHA)."""

    text: str
    sha: str

    @classmethod
    def of(cls, text: str) -> "Script":
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


class _Question(NamedTuple):
    script: Script
    key: str
    values: tuple[str | int, ...] = ()


_Waiting = list[tuple[_Question, "asyncio.Future[Numbers | None]"]]

_PROBE = _Question(Script.of("redis.call('SET', KEYS[1], 1, 'PX', 1000) return {1}"), "shelfcast:counts")
"""A server that is full, or a replica, answers a PING and counts nothing."""


class Counters:
    """Opening it asks nothing of Redis; asking never raises."""

    def __init__(self, dsn: str, patience: float = PATIENCE) -> None:
        self._redis = Redis.from_url(dsn)
        self._patience = patience
        self._waiting: _Waiting = []
        self._sender: asyncio.Task[None] | None = None
        self._looker: asyncio.Task[bool] | None = None
        self._away_since: float | None = None
        self._look_again_at = 0.0

    @property
    def away(self) -> bool:
        """Whether Redis did not answer when it was asked last."""
        return self._away_since is not None

    async def ask(self, script: Script, key: str, *values: str | int) -> Numbers | None:
        """What the script answers; None if Redis does not, or not in time."""
        if self.away:
            self.look()
            return None
        answer: asyncio.Future[Numbers | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((_Question(script, key, values), answer))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        return await answer

    def look(self) -> None:
        """If Redis is away, find out beside whether it is back, at most once a second."""
        if self.away and self._looker is None and time.monotonic() >= self._look_again_at:
            self._looker = asyncio.create_task(self.answers())
            self._looker.add_done_callback(self._looked)

    def _looked(self, _: asyncio.Task[bool]) -> None:
        self._looker = None

    async def answers(self) -> bool:
        """Whether Redis counts now; what is asked next is asked of it if so."""
        try:
            await _patiently(self._answers([_PROBE]), _CALM)
        except _LOST as error:
            self._note_lost(error)
            return False
        self._note_found()
        return True

    async def close(self) -> None:
        if tasks := [task for task in (self._sender, self._looker) if task is not None]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        self._release()
        with contextlib.suppress(*_LOST):
            await self._redis.aclose(close_connection_pool=True)

    async def _send(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
                await self._settle(together)
        finally:  # nobody is left waiting, however it ends
            self._sender = None
            self._release()

    async def _settle(self, together: _Waiting) -> None:
        answers: Sequence[Numbers] = ()
        try:
            answers = await _patiently(self._answers([question for question, _ in together]), self._patience)
        except _LOST as error:
            self._note_lost(error)
            self._release()
        finally:
            _tell(together, answers)

    def _release(self) -> None:
        """Whoever waits goes on without an answer."""
        waiting, self._waiting = self._waiting, []
        _tell(waiting, ())

    async def _answers(self, questions: Sequence[_Question]) -> Sequence[Numbers]:
        answers = await self._piped(("EVALSHA", q.script.sha, 1, q.key, *q.values) for q in questions)
        unknown = [number for number, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:  # Redis was restarted or flushed: nothing was counted, and this tells it the script again
            scripts = [questions[number] for number in unknown]
            again = await self._piped(("EVAL", q.script.text, 1, q.key, *q.values) for q in scripts)
            for number, answer in zip(unknown, again, strict=True):
                answers[number] = answer
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return cast("list[Numbers]", answers)

    async def _piped(self, commands: Iterable[tuple[str | int, ...]]) -> list[Any]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return cast("list[Any]", await pipe.execute(raise_on_error=False))

    def _note_lost(self, error: BaseException) -> None:
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
            log.warning(
                "rate_limits_off", error=str(error), hint="Requests are not limited until Redis answers; check it."
            )
        self._look_again_at = now + SILENCE

    def _note_found(self) -> None:
        if self._away_since is not None:
            log.info("rate_limits_back", away_seconds=round(time.monotonic() - self._away_since, 1))
            self._away_since = None


async def _patiently(work: Coroutine[Any, Any, T], patience: float) -> T:
    """What the work comes to; TimeoutError once patience (in seconds) has run out, counted in turns of the loop.

    A process that is busy itself takes no turns, so that it does not take Redis for slow: a caller could else lift
    its own limit with a flood.
    """
    task = asyncio.ensure_future(work)
    try:
        for _ in range(_TURNS):
            done, _ = await asyncio.wait({task}, timeout=patience / _TURNS)
            if done:
                return task.result()
    finally:
        task.cancel()
    raise TimeoutError(f"Redis did not answer within {patience} s")


def _tell(together: _Waiting, answers: Sequence[Numbers]) -> None:
    """Those that there is no answer for get None."""
    for (_, future), answer in zip_longest(together, answers):
        if not future.done():  # a caller that left has cancelled it
            future.set_result(answer)
