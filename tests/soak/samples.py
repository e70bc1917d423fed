"""What is looked at while a site is under load: its processes, its database and its Redis."""

from collections.abc import Mapping
from pathlib import Path

import redis.asyncio as redis
from sqlalchemy import func, select, text

from bench.usage import memory
from service.store import tables
from tests.processes import Site

CHILDREN = ("api", "worker-1", "worker-2", "valkey")

Sample = dict[str, float]
"""Name of a series -> its value now, such as "api memory (MB)"."""

_COUNTED = Path(__file__).with_name("counted")
_WORK = {
    "open updates": (tables.updates, tables.update_is_open),
    "displays that are not right": (tables.displays, tables.display_is_wrong),
    "displays held by a push": (tables.displays, tables.displays.c.pusher.is_not(None)),
    "live batches": (tables.batches, tables.batch_is_live),
    "staged pushes": (tables.batch_pushes, tables.batch_pushes.c.rows.is_not(None)),
}
"""Work that is under way: it has to come back to what it was."""
WORK = tuple(_WORK)


def counting(folder: Path) -> dict[str, str]:
    """The environment in which processes tell how many tasks they have."""
    folder.mkdir(exist_ok=True)
    return {"PYTHONPATH": str(_COUNTED), "TASKS_COUNTED_IN": str(folder)}


async def sample(site: Site, also: Mapping[str, int]) -> Sample:
    """Everything now; `also` are processes beside those of `serve`, name -> pid. What is away has no value."""
    pids = {name: site.child(name) for name in CHILDREN} | {"supervisor": site.running["serve"].pid} | dict(also)
    taken: Sample = {}
    for name, pid in pids.items():
        taken |= {f"{name} {what}": value for what, value in _process(pid, site.environ["TASKS_COUNTED_IN"]).items()}
    return taken | await _database(site) | await _redis(site)


def _process(pid: int, counted_in: str) -> Sample:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        threads = next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
        found = {
            "memory (MB)": memory(pid),
            "handles": len(list(Path(f"/proc/{pid}/fd").iterdir())),
            "threads": threads,
        }
    except OSError:
        return {}  # it was killed a moment ago
    tasks = Path(counted_in) / str(pid)
    return found | ({"tasks": int(tasks.read_text(encoding="utf-8") or 0)} if tasks.exists() else {})


async def _database(site: Site) -> Sample:
    found: Sample = {}
    async with site.opened() as ctx, ctx.db.read() as conn:
        for table in tables.metadata.sorted_tables:
            found[f"rows of {table.name}"] = (await conn.execute(select(func.count()).select_from(table))).scalar_one()
        for name, (table, which) in _WORK.items():
            asked = select(func.count()).select_from(table).where(which)
            found[name] = (await conn.execute(asked)).scalar_one()
        if not ctx.db.is_sqlite:
            size, connections = (await conn.execute(text(_POSTGRESQL))).one()
            return found | {"database (MB)": size / 1e6, "database connections": connections}
    sizes = {
        name: (site.folder / f"shelfcast.db{end}").stat().st_size for name, end in (("database", ""), ("WAL", "-wal"))
    }
    return found | {f"{name} (MB)": size / 1e6 for name, size in sizes.items()}


_POSTGRESQL = """
    SELECT pg_database_size(current_database()),
           (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())
"""


async def _redis(site: Site) -> Sample:
    async with redis.from_url(site.settings.redis_dsn) as memory_server:
        try:
            keys, info = await memory_server.dbsize(), await memory_server.info("memory")
        except (redis.RedisError, OSError):
            return {}  # it was killed a moment ago
    return {"Redis keys": keys, "Redis memory (MB)": info["used_memory"] / 1e6}
