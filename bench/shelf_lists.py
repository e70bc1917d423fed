"""(j) 200,000 displays in one store, with 5,000,000 proofs: every list, filter and question about a time, over HTTP.

Also where filters are at their worst: none matches, all of them do, half of the displays are behind a gateway that does
not answer.
"""

import asyncio
import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import asyncpg

from bench.harness import Figure, Goal, Sizes, digits, percentile
from bench.http import Connection, request
from bench.places import PANEL, SLUG, Place, furnish
from service.context import Shelfcast
from service.core.scopes import Scope
from service.tenants import tokens

WITHIN = Goal(50)
"""Milliseconds, p95."""
EACH = 25
"""Proofs of each display, a day apart."""
DAY = 86_400_000
WARM = 2
SENT = 5
"""Updates that are still there of each display; a showing does not need its own to be told."""
BUSY = 5000
"""Proofs of one display more."""

_OK = 200
_GATEWAYS = {f"g{number}": "http://127.0.0.1:9" for number in range(1, 4)}


class Asked(NamedTuple):
    what: str
    path: str


async def measure(place: Place, sizes: Sizes) -> list[Figure]:
    displays = sizes.shelf
    async with place.site() as site:
        async with site.opened() as ctx:
            await furnish(ctx, gateways=_GATEWAYS)
            token = (await tokens.issue(ctx, SLUG, "reader", scopes=[Scope.ADMIN])).token
            await load(ctx, displays)
        await site.start("valkey", "api")
        await site.ready()
        async with Connection(site.port) as connection:
            figures = [
                await _timed(place, connection, token, asked, sizes)
                for asked in await questions(connection, token, displays)
            ]
            for what, change in _STATES:
                async with site.opened() as ctx:
                    await run(ctx, change, displays)
                figures += [
                    await _timed(place, connection, token, Asked(f"{asked.what}, {what}", asked.path), sizes)
                    for asked in _FILTERS
                ]
    return figures


_FILTERS = tuple(
    Asked(f"displays, {name}", f"/displays?{query}")
    for name, query in (
        ("wrong", "wrong=true"),
        ("unconfirmed", "unconfirmed=true"),
        ("low battery", "lowBattery=true"),
        ("unbound", "unbound=true"),
        ("retired", "retired=true"),
        ("offline", "offline=true"),
        ("offline and wrong", "offline=true&wrong=true"),
        ("of one product", "barcode=B0"),
    )
)
_NONE = """
UPDATE displays SET battery = 90, pushed_revision = shown_revision, desired_digest = shown_digest, bound = 1,
  retired_at = NULL;
UPDATE bindings SET barcode = 'C' || id; UPDATE gateways SET unreachable_since = NULL
"""
_ALL = """
UPDATE displays SET battery = 5, pushed_revision = shown_revision + 1, bound = 0;
UPDATE bindings SET barcode = 'B0'; UPDATE gateways SET unreachable_since = 1
"""
_RETIRED = "UPDATE displays SET retired_at = 1, battery = 90; UPDATE gateways SET unreachable_since = NULL"
_STATES = (("none matches", _NONE), ("all match", _ALL), ("all retired", _RETIRED))


async def questions(connection: Connection, token: str, displays: int) -> list[Asked]:
    """Where a tenth or a hundredth of the displays match, and one gateway with half of them does not answer."""
    some = min(1000, displays // 200)
    deep = await _cursor(connection, token, f"/displays?perPage={some}&page=100")
    by_address = await _cursor(connection, token, f"/displays?sort=address&perPage={some}&page=100")
    wrong = await _cursor(connection, token, f"/displays?wrong=true&perPage={some}&page=10")
    (display,) = (await _told(connection, token, "/displays?address=D100"))["data"]
    id_, moment = display["displayId"], _written(_BEGAN + 12 * DAY + 1)
    return [
        Asked("displays, first page", "/displays"),
        Asked("displays, deep by its number", f"/displays?page={some}"),
        Asked("displays, deep by a cursor", f"/displays?cursor={deep}"),
        Asked("displays by address, deep by a cursor", f"/displays?sort=address&cursor={by_address}"),
        Asked("wrong displays, deep by a cursor", f"/displays?wrong=true&cursor={wrong}"),
        Asked("displays of one gateway", "/displays?gateway=g1"),
        Asked("displays of one gateway, by address", "/displays?gateway=g1&sort=address"),
        Asked("wrong displays of one gateway", "/displays?gateway=g2&wrong=true"),
        Asked("one address", "/displays?address=D77"),
        Asked("one display", f"/displays/{id_}"),
        *_FILTERS,
        Asked("history of a display", f"/displays/{id_}/history"),
        Asked("history of a busy display", "/displays/D0/history"),
        Asked("events of the store", "/display-events"),
        Asked("a display at a time", f"/displays/{id_}/at?time={moment}"),
        Asked("a busy display at a time", f"/displays/D0/at?time={moment}"),
        Asked("the shelf of a product at a time, three displays", f"/products/at?barcode=B77&time={moment}"),
        Asked("the shelf of a product at a time, 25 of many", f"/products/at?barcode=B0&perPage=25&time={moment}"),
    ]


async def _told(connection: Connection, token: str, path: str) -> Any:
    return await connection.told(request("GET", f"/api/v1{path}", token))


async def _cursor(connection: Connection, token: str, path: str) -> str:
    return str((await _told(connection, token, path))["meta"]["next"])


async def _timed(place: Place, connection: Connection, token: str, asked: Asked, sizes: Sizes) -> Figure:
    question = request("GET", f"/api/v1{asked.path}", token)
    took: list[float] = []
    for _ in range(WARM + sizes.samples):
        start = time.perf_counter()
        status, body = await connection.ask(question)
        took.append((time.perf_counter() - start) * 1000)
        if status != _OK:
            raise RuntimeError(f"{asked.path}: {status}: {body[:300].decode()}")
    counted = took[WARM:]
    note = f"p50 {digits(percentile(counted, 0.5))} ms, most {digits(max(counted))} ms, {len(body):,} bytes"
    what = f"(j) {asked.what}, of {sizes.shelf:,} displays, p95"
    return Figure(what, place.database, [percentile(counted, 0.95)], "ms", WITHIN, note)


_BEGAN = 1_760_000_000_000
_FACE = '{"fields":{},"slots":[{"price":"1.99"}],"template":"price","templateVersion":1}'


def _written(at: int) -> str:
    return quote(datetime.fromtimestamp(at / 1000, UTC).isoformat())


async def load(ctx: Shelfcast, displays: int) -> None:
    """Every tenth display is wrong or unbound, every hundredth retired, low or unconfirmed; half are on one gateway."""
    await run(ctx, _LOAD, displays)
    await run(ctx, _HISTORY, displays)


async def run(ctx: Shelfcast, script: str, displays: int) -> None:
    """Past the service, which does much for safety and lets no statement take a minute."""
    if ctx.db.is_sqlite:
        await asyncio.to_thread(_run_on_sqlite, ctx.settings.data_dir / "shelfcast.db", script, displays)
        return
    connection = await asyncpg.connect((ctx.settings.database_url or "").replace("+asyncpg", ""))
    try:
        await connection.execute("SET session_replication_role = replica")  # no foreign keys meanwhile
        for statement in _statements(script, displays, is_sqlite=False):
            await connection.execute(statement)
        await connection.execute("VACUUM ANALYZE")  # as autovacuum does by itself within minutes
    finally:
        await connection.close()


def _run_on_sqlite(file: Path, script: str, displays: int) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for pragma in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000"):
            connection.execute(f"PRAGMA {pragma}")
        for statement in _statements(script, displays, is_sqlite=True):
            connection.execute(statement)


def _statements(script: str, displays: int, *, is_sqlite: bool) -> Iterator[str]:
    """SQL that both databases understand, once it is told how they fill up with zeros."""
    words = {
        "displays": displays, "each": EACH, "sent": SENT, "busy": BUSY, "began": _BEGAN, "day": DAY, "panel": PANEL,
        "face": _FACE,
    }  # fmt: skip
    pad = r"printf('%026d', \1)" if is_sqlite else r"lpad((\1)::text, 26, '0')"
    for name, value in words.items():
        script = script.replace(f"<{name}>", str(value))
    yield from filter(str.strip, re.sub(r"ID\(([^()]*)\)", pad, script).split(";"))


# No SQL of anybody else comes in here.
_COUNT = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {0})"
_LOAD = f"""
INSERT INTO faces (store_id, digest, content, panel, template, template_version, renderer_version, created_at)
 {_COUNT.format("<each> + 1")} SELECT 1, 'F' || i, '<face>', '<panel>', 'price', 1, 1, 1 FROM n;
INSERT INTO displays (store_id, id, organisation_id, driver, address, gateway_id, panel, created_at, retired_at, bound,
  desired_digest, desired_revision, pushed_revision, shown_digest, shown_revision, shown_proof, shown_at, battery)
 {_COUNT.format("<displays>")} SELECT 1, ID(i), 1, 'simulator', 'D' || i,
  (SELECT id FROM gateways WHERE name = CASE WHEN i % 2 = 0 THEN 'g1' WHEN i % 4 = 1 THEN 'g2' ELSE 'g3' END),
  '<panel>', 1, CASE WHEN i % 100 = 99 THEN 1 END, CASE WHEN i % 10 = 3 THEN 0 ELSE 1 END,
  CASE WHEN i % 10 = 7 THEN 'X' ELSE 'F1' END, 20000, 20000 + CASE WHEN i % 100 = 50 THEN 1 ELSE 0 END,
  'F1', 20000, 3, <began>, CASE WHEN i % 100 = 20 THEN 5 ELSE 90 END FROM n;
INSERT INTO bindings (store_id, id, display_id, slot, barcode, bound_at)
 SELECT 1, id, id, 0, 'B' || (CAST(substr(address, 2) AS INTEGER) % (<displays> / 3)), 1 FROM displays;
UPDATE bindings SET barcode = 'B0' WHERE CAST(id AS INTEGER) % 10 = 0;
UPDATE gateways SET unreachable_since = 1 WHERE name = 'g1';
INSERT INTO display_events (store_id, id, display_id, kind, at)
 SELECT 1, id, id, 'button', <began> + CAST(substr(address, 2) AS INTEGER) FROM displays
"""  # noqa: S608 - numbers of our own
_HISTORY = f"""
INSERT INTO updates (store_id, id, display_id, gateway_id, digest, revision, phase, cause, mark, created_at, due_at,
  pushed_at, sent_at, closed_at, proof)
 {_COUNT.format("<displays> * <each>")} SELECT 1, ID(i), ID(i / <each>), 'g', 'F' || (i % <each>),
  i % <each> + 10001, 'CONFIRMED', 'batch', ID(i), <began> + i % <each> * <day>, 1,
  <began> + i % <each> * <day>, <began> + i % <each> * <day>, <began> + i % <each> * <day>, 3
  FROM n WHERE i % <each> BETWEEN 10 AND 9 + <sent>;
INSERT INTO showings (store_id, id, display_id, digest, update_id, revision, proof, at)
 {_COUNT.format("<displays> * <each>")} SELECT 1, ID(i), ID(i / <each>), 'F' || (i % <each>), ID(i),
  i % <each> + 10001, 3, <began> + i % <each> * <day> FROM n;
INSERT INTO updates (store_id, id, display_id, gateway_id, digest, revision, phase, cause, mark, created_at, due_at,
  pushed_at, sent_at, closed_at, proof)
 {_COUNT.format("<busy>")} SELECT 1, ID(i + 900000000), ID(0), 'g', 'F1',
  i + 100, 'CONFIRMED', 'batch', ID(i + 900000000), <began> - <busy> + i, 1,
  <began> - <busy> + i, <began> - <busy> + i, <began> - <busy> + i, 3 FROM n;
INSERT INTO showings (store_id, id, display_id, digest, update_id, revision, proof, at)
 {_COUNT.format("<busy>")} SELECT 1, ID(i + 900000000), ID(0), 'F1', ID(i + 900000000), i + 100, 3,
  <began> - <busy> + i FROM n
"""  # noqa: S608
