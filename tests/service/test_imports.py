"""Whole files on both databases: bytes in, rows through the feed, and nothing lost or doubled whoever dies."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from service import feed, retention, sync
from service.context import Shelfcast
from service.core.imports import CHUNK
from service.errors import (
    ConflictError,
    NotFoundError,
    SessionExpiredError,
    TooLargeError,
    ValidationError,
)
from service.importing import imports
from service.importing.file_reading import Reader
from service.importing.imports import Part
from service.messages import Window
from service.store import chain_tables, tables
from tests.service.importer import Importer, importer, packed, table
from tests.shop import milk, raw

DAY = 86_400_000


@pytest.fixture
async def till(ctx: Shelfcast) -> Importer:
    return await importer(ctx)


async def test_a_file_becomes_a_batch_like_any_other(till: Importer):
    done = await till.imported(table(["1.00"] * 2500))
    assert (done.status, done.rows_read, done.rows_accepted, done.rows_rejected) == ("completed", 2500, 2500, 0)
    assert done.detected is not None
    assert (done.detected.format, done.detected.encoding, done.detected.delimiter) == ("fields", "utf-8", ",")
    batch = await till.saved(done.session_id)
    assert (batch.reference, batch.pushes, batch.products_created, batch.status) == ("nightly", 3, 2500, "completed")
    again = await till.saved((await till.imported(packed(table(["1.00"] * 2499 + ["2.00"])))).session_id)
    assert (again.products_unchanged, again.products_updated) == (2499, 1)


async def test_every_refused_row_is_an_error_of_the_batch_with_its_line(till: Importer):
    text = table(["1.00"] * 1200) + ",No key,1.00\n99999999,Costly,many\n99999998,,1.00\n"
    done = await till.imported(text)
    assert (done.rows_read, done.rows_accepted, done.rows_rejected) == (1203, 1200, 3)
    batch = await till.saved(done.session_id)
    assert (batch.products_received, batch.products_rejected, batch.products_saved) == (1203, 3, 1200)
    assert [(code, field, detail.split(":")[0]) for code, field, detail in await till.errors(done.session_id)] == [
        ("required", "barcode", "Line 1202"), ("not_a_price", "price", "Line 1203"), ("required", "name", "Line 1204"),
    ]  # fmt: skip


async def test_a_file_may_be_the_whole_store(till: Importer):
    await till.saved((await till.imported(table(["1.00"] * 25))).session_id)
    batch = await till.saved((await till.imported(table(["1.00"] * 20), mode="full")).session_id)
    assert (batch.mode, batch.products_archived) == ("full", 5)


async def test_a_file_that_cannot_be_read_saves_nothing_and_says_why(till: Importer):
    done = await till.imported(table(["1.00"] * 1500) + '1,"never closed,1.00\n')
    assert (done.status, done.session_id) == ("failed", None)
    assert done.reason is not None
    assert "line 1502" in done.reason
    async with till.ctx.db.read() as connection:
        statuses = list((await connection.execute(tables.batches.select())).mappings())
        chunks = list(await connection.execute(chain_tables.import_chunks.select()))
    assert [(row["status"], row["reason"][:26]) for row in statuses] == [("cancelled", "The file could not be read")]
    assert chunks == []


async def test_columns_that_nobody_knows_are_named_in_the_reason(till: Importer):
    done = await till.imported("a,b\n1,2\n")
    assert done.reason is not None
    assert "a, b" in done.reason
    assert (await till.imported("a,b,c\n1,Tea,2\n", columns={"barcode": "a", "name": "b", "price": "c"})).rows_accepted


async def test_nothing_that_a_caller_or_a_file_names_is_too_strange_to_be_told(till: Importer):
    done = await till.imported("a\0,b\n1,2\n", columns={"barcode": "\0x", "name": "b"})
    assert (done.status, done.reason) == ("failed", "The file has no column \ufffdx; it has a\ufffd, b.")


class _KilledError(Exception):
    pass


@pytest.mark.parametrize("after", [0, 1, 2])
async def test_a_reader_that_dies_leaves_everything_to_the_next(
    till: Importer, monkeypatch: pytest.MonkeyPatch, after: int
):
    import_id = await till.finalized(table(["1.00"] * 2500))
    hold, held = feed.hold, []

    async def dying(*args, **named):
        if len(held) == after:
            raise _KilledError
        held.append(await hold(*args, **named))
        return held[-1]

    monkeypatch.setattr(feed, "hold", dying)
    with pytest.raises(_KilledError):
        await till.read(import_id)
    monkeypatch.setattr(feed, "hold", hold)
    await till.read(import_id)  # the dead one's lease is not over
    assert (await till.one(import_id)).status == "processing"
    later = _later(till)
    done = await later.read(import_id)
    assert (done.status, done.rows_accepted) == ("completed", 2500)
    batch = await later.saved(done.session_id)
    assert (batch.pushes, batch.products_received, batch.products_created) == (3, 2500, 2500)


async def test_a_reader_that_dies_before_it_says_that_it_is_done_is_not_repeated(
    till: Importer, monkeypatch: pytest.MonkeyPatch
):
    import_id = await till.finalized(table(["1.00"] * 10))

    async def dying(*_args, **_named):
        raise _KilledError

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "_end", dying)
        with pytest.raises(_KilledError):
            await till.read(import_id)
    done = await _later(till).read(import_id)
    assert (done.status, done.rows_accepted) == ("completed", 10)
    assert (await till.saved(done.session_id)).products_created == 10


async def test_a_file_that_fails_again_and_again_is_given_up(till: Importer, monkeypatch: pytest.MonkeyPatch):
    import_id = await till.finalized(table(["1.00"]))

    async def failing(*_args, **_named):
        raise _KilledError

    monkeypatch.setattr(feed, "hold", failing)
    for hour in range(1, 6):
        with pytest.raises(_KilledError):
            await _later(till, hour).read(import_id)
    assert "failed 5 times" in str((await till.one(import_id)).reason)


async def test_the_reconciler_finds_a_file_whose_ring_was_lost(till: Importer, monkeypatch: pytest.MonkeyPatch):
    import_id = await till.finalized(table(["1.00"]))
    rung = []

    async def ring(*key):
        rung.append(key)

    monkeypatch.setattr(till.ctx.bell, "ring_import", ring)
    await sync.reconcile(till.ctx)
    assert rung == [(till.caller.store_id, import_id)]


async def test_bytes_may_come_in_any_parts_and_go_on_after_a_break(till: Importer):
    content = random.Random(1).randbytes(3 * CHUNK + 5)
    import_id = await till.ask()
    size = len(content)
    standing = await till.send(import_id, content[:100], content[100 : CHUNK + 7], part=Part(0, CHUNK + 7, size))
    assert (standing.received_bytes, standing.total_bytes) == (CHUNK + 7, size)

    async def broken() -> AsyncIterator[bytes]:
        yield content[CHUNK + 7 : 2 * CHUNK + 99]
        raise ValidationError("The connection ended before the body did.")

    with pytest.raises(ValidationError):
        await imports.receive(till.ctx, till.caller, import_id, Part(CHUNK + 7, size, None), broken())
    assert (await till.one(import_id)).received_bytes == 2 * CHUNK + 99
    with pytest.raises(ConflictError, match=f"{2 * CHUNK + 99} of {size} bytes came"):
        await imports.finalize(till.ctx, till.caller, import_id, None)
    with pytest.raises(ConflictError, match=f"go on with Content-Range: bytes {2 * CHUNK + 99}-"):
        await till.send(import_id, content[2 * CHUNK :], part=Part(2 * CHUNK, None, None))
    await till.send(import_id, content[2 * CHUNK + 99 :], part=Part(2 * CHUNK + 99, None, size))
    with pytest.raises(ValidationError, match="send the file again"):
        await imports.finalize(till.ctx, till.caller, import_id, "0" * 64)
    digest = hashlib.sha256(content).hexdigest()
    assert (await imports.finalize(till.ctx, till.caller, import_id, digest)).status == "processing"
    assert (await imports.finalize(till.ctx, till.caller, import_id, None)).status == "processing"


async def test_a_whole_file_takes_the_place_of_what_came_before(till: Importer):
    import_id = await till.ask()
    await till.send(import_id, b"x" * 2 * CHUNK)
    await till.send(import_id, table(["1.00"]).encode())
    await imports.finalize(till.ctx, till.caller, import_id, None)
    assert (await till.read(import_id)).rows_accepted == 1


async def test_of_two_requests_that_send_at_once_only_the_latest_counts(till: Importer):
    import_id = await till.ask()

    async def overtaken() -> AsyncIterator[bytes]:
        yield b"a" * CHUNK
        await till.send(import_id, b"b" * CHUNK)
        yield b"a" * CHUNK

    with pytest.raises(ConflictError, match="only the latest"):
        await imports.receive(till.ctx, till.caller, import_id, Part(None, None, None), overtaken())
    await imports.finalize(till.ctx, till.caller, import_id, hashlib.sha256(b"b" * CHUNK).hexdigest())


async def test_a_file_has_a_limit_whether_it_is_announced_or_not(till: Importer):
    import_id = await till.ask()
    limit = till.ctx.settings.max_import

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * CHUNK

    with pytest.raises(TooLargeError):
        await till.send(import_id, b"x", part=Part(0, limit + 1, None))
    with pytest.raises(TooLargeError):
        await till.send(import_id, b"x", part=Part(0, 1, limit + 1))
    small = Importer(_with(till, max_import=2 * CHUNK), till.caller)
    with pytest.raises(TooLargeError):
        await imports.receive(small.ctx, till.caller, import_id, Part(None, None, None), endless())
    assert (await till.one(import_id)).received_bytes <= 2 * CHUNK


async def test_an_import_that_nobody_finalizes_expires(till: Importer):
    import_id = await till.ask()
    await till.send(import_id, b"x")
    later = _later(till, hours=25)
    assert (await later.one(import_id)).status == "expired"
    for late in (later.send(import_id, b"x"), imports.finalize(later.ctx, till.caller, import_id, None)):
        with pytest.raises(SessionExpiredError):
            await late
    await sync.reconcile(later.ctx)
    async with till.ctx.db.read() as connection:
        assert list(await connection.execute(chain_tables.import_chunks.select())) == []


async def test_an_import_can_be_cancelled_until_it_is_over(till: Importer):
    open_one, read_one = await till.finalized(table(["1.00"])), await till.finalized(table(["1.00"]))
    cancelled = await imports.cancel(till.ctx, till.caller, open_one)
    assert (cancelled.status, (await imports.cancel(till.ctx, till.caller, open_one)).status) == ("cancelled",) * 2
    assert (await till.read(open_one)).status == "cancelled"
    with pytest.raises(ConflictError):
        await imports.finalize(till.ctx, till.caller, open_one, None)
    await till.read(read_one)
    with pytest.raises(ConflictError, match="its batch's to cancel"):
        await imports.cancel(till.ctx, till.caller, read_one)


async def test_cancelling_while_it_is_read_saves_nothing(till: Importer, monkeypatch: pytest.MonkeyPatch):
    import_id = await till.finalized(table(["1.00"] * 2500))
    hold = feed.hold

    async def cancelling(*args, **named):
        await imports.cancel(till.ctx, till.caller, import_id)
        return await hold(*args, **named)

    monkeypatch.setattr(feed, "hold", cancelling)
    done = await till.read(import_id)
    assert done.status == "cancelled"
    assert (await till.saved(done.session_id)).status == "cancelled"
    assert await feed_products(till) == 0


async def test_whoever_cancels_the_batch_cancels_the_import(till: Importer, monkeypatch: pytest.MonkeyPatch):
    import_id = await till.finalized(table(["1.00"] * 2500))
    hold = feed.hold

    async def cancelling(ctx, caller, session_id, *args, **named):
        await feed.cancel(ctx, caller, session_id)
        return await hold(ctx, caller, session_id, *args, **named)

    monkeypatch.setattr(feed, "hold", cancelling)
    assert (await till.read(import_id)).status == "cancelled"


async def test_what_a_whole_store_says_is_not_sold_goes_off_sale(till: Importer):
    header = "Handle,Title,Status,Variant SKU,Variant Price,Variant Barcode\n"
    await till.saved(
        (await till.imported(header + "a,A,active,,1.00,00000001\nb,B,active,,1.00,00000002\n")).session_id
    )
    whole = header + "a,A,active,,1.00,00000001\nb,B,archived,,1.00,00000002\n"
    dry = await till.imported(whole, mode="full", dry=True)
    batch = await till.saved((await till.imported(whole, mode="full")).session_id)
    assert dry.summary is not None
    assert (batch.products_archived, dry.summary.archived) == (1, 1)


async def test_a_worker_that_stops_leaves_the_file_to_the_next_at_once(till: Importer, monkeypatch: pytest.MonkeyPatch):
    import_id = await till.finalized(table(["1.00"] * 10))
    reached = asyncio.Event()

    async def waiting(*_args, **_named):
        reached.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(feed, "hold", waiting)
        reading = asyncio.create_task(till.read(import_id))
        await reached.wait()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert (await till.read(import_id)).status == "completed"


async def test_a_dry_run_tells_what_would_change_and_changes_nothing(till: Importer):
    await till.saved((await till.imported(table(["1.00"] * 30))).session_id)
    text = table(["1.00"] * 5 + ["2.00"] * 2) + "00000100,New,3.00\n00000005,Again,4.00\n"
    text += "00000006,,1.00\n,x,1\n00000020,Bad,x\n"
    done = await till.imported(text, mode="full", dry=True)
    assert (done.status, done.session_id, done.rows_rejected) == ("completed", None, 3)
    found = await imports.differences(till.ctx, till.caller, done.id, Window())
    assert [(one.barcode, one.kind, one.number) for one in found.data] == [
        ("00000006", "changed", 8), ("00000100", "created", 9), ("00000005", "changed", 10),
    ]  # fmt: skip
    changed = {name: (bytes(one.before), bytes(one.after)) for name, one in found.data[2].fields.items()}
    assert changed == {"name": (b'"Product 5"', b'"Again"'), "price": (b'"1.00"', b'"4.00"')}
    counts = found.summary
    assert counts is not None
    assert (counts.created, counts.changed, counts.unchanged, counts.rejected) == (1, 2, 5, 3)
    assert (counts.archived, counts.on_sale) == (22, 30)
    assert counts.held is not None
    assert "22 of 30" in counts.held
    assert await feed_products(till) == 30


async def test_a_dry_run_shows_a_thousand_and_counts_all(till: Importer):
    done = await till.imported(table(["1.00"] * 2500), dry=True)
    assert done.summary is not None
    assert (done.summary.created, done.summary.archived) == (2500, 0)
    first = await imports.differences(till.ctx, till.caller, done.id, Window(per_page=600))
    rest = await imports.differences(till.ctx, till.caller, done.id, Window(per_page=600, cursor=first.meta.next))
    assert (len(first.data), len(rest.data), rest.meta.next) == (600, 400, None)


async def test_a_dry_run_that_is_read_twice_counts_once(till: Importer, monkeypatch: pytest.MonkeyPatch):
    import_id = await till.finalized(table(["1.00"] * 1500), dry=True)

    async def dying(*_args, **_named):
        raise _KilledError

    with monkeypatch.context() as patch:
        patch.setattr("service.importing.file_comparing.Comparing.end", dying)
        with pytest.raises(_KilledError):
            await till.read(import_id)
    done = await _later(till).read(import_id)
    assert done.summary is not None
    assert done.summary.created == 1500


async def test_imports_are_listed_the_newest_first(till: Importer):
    ids = [await till.ask() for _ in range(5)]
    await imports.cancel(till.ctx, till.caller, ids[2])
    first = await imports.listed(till.ctx, till.caller, None, Window(per_page=3))
    rest = await imports.listed(till.ctx, till.caller, None, Window(per_page=3, cursor=first.meta.next))
    assert [one.id for one in (*first.data, *rest.data)] == ids[::-1]
    assert (first.meta.total, rest.meta.next) == (5, None)
    cancelled = await imports.listed(till.ctx, till.caller, "cancelled", Window())
    assert [one.id for one in cancelled.data] == [ids[2]]


async def test_no_store_sees_another_stores_import(till: Importer):
    import_id = await till.ask()
    other = await importer(till.ctx, "two")
    for reach in (other.one(import_id), other.send(import_id, b"x"), imports.cancel(till.ctx, other.caller, import_id)):
        with pytest.raises(NotFoundError):
            await reach
    assert (await imports.listed(till.ctx, other.caller, None, Window())).data == []


async def test_a_store_has_twenty_open_imports_at_most(till: Importer):
    for _ in range(20):
        await till.ask()
    with pytest.raises(ConflictError, match="20 imports"):
        await till.ask()


async def test_what_no_file_can_have_is_refused_when_it_is_asked_for(till: Importer):
    for options, field in (
        ({"format": "spar"}, "format"),
        ({"encoding": "klingon"}, "encoding"),
        ({"columns": {"prise": "x"}}, "columns.prise"),
    ):
        with pytest.raises(ValidationError) as caught:
            await till.ask(**options)
        assert caught.value.fields is not None
        assert set(caught.value.fields) == {field}


async def test_a_push_of_a_pos_goes_on_as_before(till: Importer):
    session = await feed.start(till.ctx, till.caller, None, "merge", None)
    rows = [raw(milk()), raw(milk(price="x"))]
    answer = await feed.push(till.ctx, till.caller, session.session_id, rows, sequence=0, body_hash="a")
    assert [(error.index, error.detail[:3]) for error in answer.errors] == [(1, '"x"')]


async def feed_products(till: Importer) -> int:
    async with till.ctx.db.read() as connection:
        return len(list(await connection.execute(tables.products.select())))


def _later(till: Importer, hours: float = 1) -> Importer:
    clock = till.ctx.clock
    return Importer(replace(till.ctx, clock=lambda: clock() + int(hours * 3_600_000)), till.caller)


def _with(till: Importer, **settings: int) -> Shelfcast:
    return replace(till.ctx, settings=replace(till.ctx.settings, **settings))


async def test_old_imports_are_let_go_with_what_they_would_have_changed(till: Importer) -> None:
    await till.imported(table(["1.00", "2.00"]), dry=True)
    young = till.ctx.clock()
    old = replace(till.ctx, clock=lambda: young + 401 * DAY)
    await Importer(old, till.caller).imported(table(["3.00"]))
    for _ in range(3):
        await retention.let_go(old, old.clock())
    kept = (await imports.listed(till.ctx, till.caller, None, Window())).data
    assert [one.dry_run for one in kept] == [False]
    async with till.ctx.db.read() as connection:
        assert (await connection.execute(select(chain_tables.import_differences))).all() == []
