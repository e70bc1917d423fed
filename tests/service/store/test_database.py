"""Transactions: whole or not at all, whoever waits for them."""

import asyncio
from pathlib import Path
from sqlite3 import OperationalError

import pytest
from sqlalchemy import func, insert, select

from service.context import Shelfcast
from service.store import sqlite
from service.store.database import Connection
from service.store.tables import organisations
from tests.shop import until

CHAIN = {"ulid": "01", "slug": "chain", "name": "Chain", "created_at": 1}


async def chains(ctx: Shelfcast) -> int:
    async with ctx.db.read() as connection:
        return (await connection.execute(select(func.count()).select_from(organisations))).scalar_one()


async def test_a_write_whose_caller_leaves_is_done_to_its_end(ctx: Shelfcast) -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def work(connection: Connection) -> None:
        await connection.execute(insert(organisations), CHAIN)
        entered.set()
        await go_on.wait()

    caller = asyncio.create_task(ctx.db.write(work))
    await entered.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()

    async def is_there() -> bool:
        return await chains(ctx) == 1

    await until(is_there)


async def test_a_caller_who_leaves_in_the_middle_of_a_statement_leaves_no_lock_behind(ctx: Shelfcast) -> None:
    async def work(connection: Connection, number: int) -> None:
        await connection.execute(insert(organisations), CHAIN | {"ulid": str(number), "slug": str(number)})

    for number in range(20):
        caller = asyncio.create_task(ctx.db.write(work, number))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
    async with asyncio.timeout(10):
        await ctx.db.write(work, 20)


async def test_a_write_that_fails_leaves_nothing_behind(ctx: Shelfcast) -> None:
    async def work(connection: Connection) -> None:
        await connection.execute(insert(organisations), CHAIN)
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        await ctx.db.write(work)
    assert await chains(ctx) == 0


async def test_closing_waits_for_what_is_being_written(ctx: Shelfcast) -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def work(connection: Connection) -> None:
        entered.set()
        await go_on.wait()
        await connection.execute(insert(organisations), CHAIN)

    writing = ctx.db.begin(work)
    await entered.wait()
    closing = asyncio.create_task(ctx.db.close())
    await asyncio.sleep(0)
    assert not closing.done()
    go_on.set()
    await closing
    assert writing.done()
    assert writing.exception() is None


async def test_a_database_that_cannot_be_opened_leaves_no_thread_that_has_something_to_say(tmp_path: Path) -> None:
    connection = sqlite.connect(str(tmp_path), 1)
    with pytest.raises(OperationalError):
        await connection
    assert connection._last_word
    assert connection._last_word.done()
