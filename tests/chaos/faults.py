"""What each kind of trouble does to real processes, and how it ends."""

import asyncio
import contextlib
import resource
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import httpx
import redis.asyncio as redis

from tests.chaos.ground import Field
from tests.chaos.plans import Trouble

NO_FAULTS = {"loss": 0.0, "drop": 0.0, "busy": 0.0, "lost_answers": 0.0}
_HOUR = 3600.0
_OF_ALL_GATEWAYS = {
    "gateways lose": {"loss": 0.5},
    "gateways drop": {"drop": 0.3},
    "gateways busy": {"busy": 0.5},
    "gateways answer nothing": {"lost_answers": 0.5},
}


async def happen(field: Field, trouble: Trouble) -> None:
    """From its beginning to its end."""
    kind = trouble.kind
    if kind.startswith("kill "):
        await _kill(field, trouble)
    elif kind.startswith("clock "):
        _move_clock(field, trouble)
    elif kind.startswith("gateway"):
        await _patiently(partial(_gateways, field, trouble))
    elif kind == "flush valkey":
        async with redis.from_url(field.site.settings.redis_dsn) as memory:
            with contextlib.suppress(redis.RedisError, OSError):
                await memory.flushall()
    else:
        await _DATABASE[kind](field, trouble)


async def _kill(field: Field, trouble: Trouble) -> None:
    async with field.killing:
        await _kill_and_start(field, trouble)


async def _kill_and_start(field: Field, trouble: Trouble) -> None:
    running = field.site.running
    workers = [name for name in running if name.startswith("worker")]
    doomed = {
        "kill api": [name for name in running if name == "api"],
        "kill valkey": [name for name in running if name == "valkey"],
        "kill a worker": workers[int(trouble.choice * len(workers)) :][:1],
        "kill all workers": workers,
        "kill everything": list(running),
        "kill simulator": [],
    }[trouble.kind]
    if trouble.kind in {"kill simulator", "kill everything"}:
        await _kill_simulator(field, trouble.lasts)
    await field.site.kill(*doomed)
    await asyncio.sleep(trouble.lasts / 4)
    await field.site.start(*sorted(doomed, key=lambda name: name != "valkey"))


async def _kill_simulator(field: Field, away: float) -> None:
    await field.kill_simulator()
    await asyncio.sleep(away / 4)
    await field.start_simulator()


def _move_clock(field: Field, trouble: Trouble) -> None:
    """By a second or by an hour, in every process of the service at once, and for good."""
    far = _HOUR if trouble.choice > 0.5 else 5.0
    field.calendar.step(far * (1 if trouble.kind == "clock forward" else -1) * (0.2 + trouble.choice))


async def _gateways(field: Field, trouble: Trouble) -> None:
    name = f"g{1 + int(trouble.choice * 3)}"
    async with field.remote() as remote:
        if trouble.kind == "gateway reboots":
            await remote.reboot(name)
            return
        reach = trouble.kind.removeprefix("gateway ")
        which, change, back = (
            ("*", _OF_ALL_GATEWAYS[trouble.kind], NO_FAULTS)
            if trouble.kind in _OF_ALL_GATEWAYS
            else (name, {"reach": reach}, {"reach": "up"})
        )
        await remote.change(which, **change)
        await asyncio.sleep(trouble.lasts)
        await remote.change(which, **back)


async def _patiently(do: Callable[[], Awaitable[None]]) -> None:
    """Nothing comes of it while the simulator is away, which ends every such trouble too."""
    with contextlib.suppress(httpx.TransportError):
        await do()


@contextlib.contextmanager
def _files_up_to(field: Field, size: int) -> Iterator[None]:
    """The kernel refuses the service's processes to write files beyond that size, as a full disk does."""
    pids = [process.pid for name, process in field.site.running.items() if name != "valkey"]
    for pid in pids:
        _limit(pid, size)
    yield
    for pid in pids:
        _limit(pid, resource.RLIM_INFINITY)


def _limit(pid: int, size: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


async def _disk_full(field: Field, trouble: Trouble) -> None:
    """Files keep their size."""
    log = field.site.folder / "shelfcast.db-wal"
    with _files_up_to(field, log.stat().st_size if log.exists() else 0):
        await asyncio.sleep(trouble.lasts)


async def _disk_read_only(field: Field, trouble: Trouble) -> None:
    with _files_up_to(field, 0):
        await asyncio.sleep(trouble.lasts)


async def _database_locked(field: Field, trouble: Trouble) -> None:
    """As by a backup tool that takes its time."""
    with contextlib.closing(sqlite3.connect(field.site.folder / "shelfcast.db", isolation_level=None)) as other:
        with contextlib.suppress(sqlite3.OperationalError):
            other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(trouble.lasts)


async def _database_restarts(field: Field, trouble: Trouble) -> None:
    assert field.server
    await field.server.restart(trouble.lasts / 2)


async def _database_crashes(field: Field, _trouble: Trouble) -> None:
    assert field.server
    await field.server.crash()


async def _database_read_only(field: Field, trouble: Trouble) -> None:
    """As when it is a standby for a moment."""
    assert field.server
    switch = "ALTER SYSTEM SET default_transaction_read_only = "
    reload = "SELECT pg_reload_conf()"
    await field.server.execute(f"{switch}on", reload)
    await asyncio.sleep(trouble.lasts)
    await field.server.execute(f"{switch}off", reload)


_DATABASE: dict[str, Callable[[Field, Trouble], Awaitable[None]]] = {
    "disk full": _disk_full,
    "disk read-only": _disk_read_only,
    "database locked": _database_locked,
    "database restarts": _database_restarts,
    "database crashes": _database_crashes,
    "database read-only": _database_read_only,
}
