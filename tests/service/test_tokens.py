import asyncio
import dataclasses
import hashlib

import pytest

from service.context import Shelfcast
from service.errors import ConflictError, NotFoundError, UnauthorizedError, ValidationError
from service.store import tenants
from service.tenants import callers, stores, tokens
from service.tenants.stores import NewStore
from tests.shop import authenticate

DAY = 86_400_000


@pytest.fixture
async def ctx(ctx: Shelfcast) -> Shelfcast:
    """With a live and a sandbox store."""
    await stores.create_store(ctx, NewStore(slug="zagreb", currency="EUR", timezone="Europe/Zagreb", locale="hr"))
    await stores.create_store(ctx, NewStore(slug="lab", sandbox=True))
    return ctx


def at(ctx: Shelfcast, now: int) -> Shelfcast:
    return dataclasses.replace(ctx, clock=lambda: now)


async def test_a_token_says_whose_it_is(ctx: Shelfcast):
    issued = await tokens.issue(ctx, "zagreb", "POS")
    caller = await authenticate(ctx, issued.token)
    assert (caller.store, caller.environment, caller.currency) == ("zagreb", "live", "EUR")
    assert (caller.timezone, caller.locale) == ("Europe/Zagreb", "hr")
    assert (caller.token_id, caller.scopes) == (issued.id, ("feed",))


async def test_live_and_sandbox_tokens_look_different_and_are_safe_in_any_shell(ctx: Shelfcast):
    live = (await tokens.issue(ctx, "zagreb", "POS")).token
    sandbox = (await tokens.issue(ctx, "lab", "POS")).token
    assert live.startswith("sc_live_")
    assert sandbox.startswith("sc_test_")
    assert live.replace("_", "").isalnum()
    assert live.isascii()
    assert len(live) == 40


async def test_only_the_hash_of_a_token_is_kept(ctx: Shelfcast):
    issued = await tokens.issue(ctx, "zagreb", "POS")
    async with ctx.db.read() as conn:
        rows = (await conn.exec_driver_sql("SELECT * FROM tokens")).mappings().all()
    (row,) = rows
    assert row["hash"] == hashlib.sha256(issued.token.encode()).hexdigest()
    assert row["prefix"] == issued.token[:12]
    assert issued.token not in repr(dict(row))


async def test_several_tokens_of_a_store_work_side_by_side(ctx: Shelfcast):
    first, second = [await tokens.issue(ctx, "zagreb", name) for name in ("POS", "ERP")]
    assert {(await authenticate(ctx, one.token)).token_id for one in (first, second)} == {first.id, second.id}
    assert [token.name for token in await tokens.listed(ctx, "zagreb")] == ["POS", "ERP"]
    assert await tokens.listed(ctx, "lab") == []


async def test_a_name_is_unique_among_a_stores_active_tokens_only(ctx: Shelfcast):
    await tokens.issue(ctx, "zagreb", "POS")
    with pytest.raises(ConflictError, match="POS"):
        await tokens.issue(ctx, "zagreb", " POS ")
    await tokens.issue(ctx, "lab", "POS")
    await tokens.revoke(ctx, "POS", "zagreb")
    await tokens.issue(ctx, "zagreb", "POS")


async def test_of_two_tokens_of_one_name_issued_at_once_one_is_refused(ctx: Shelfcast):
    outcomes = await asyncio.gather(*(tokens.issue(ctx, "zagreb", "POS") for _ in range(2)), return_exceptions=True)
    assert sorted(type(outcome) for outcome in outcomes if isinstance(outcome, Exception)) == [ConflictError]


async def test_a_revoked_token_is_refused_at_the_next_request(ctx: Shelfcast):
    issued = await tokens.issue(ctx, "zagreb", "POS")
    await authenticate(ctx, issued.token)
    await tokens.revoke(ctx, "POS")
    with pytest.raises(UnauthorizedError, match="revoked"):
        await authenticate(ctx, issued.token)


async def test_a_token_expires_to_the_millisecond(ctx: Shelfcast):
    end = ctx.clock() + DAY
    issued = await tokens.issue(ctx, "zagreb", "POS", expires_at=end)
    await authenticate(at(ctx, end - 1), issued.token)
    with pytest.raises(UnauthorizedError, match="expired"):
        await authenticate(at(ctx, end), issued.token)
    await tokens.issue(at(ctx, end), "zagreb", "POS")


async def test_a_token_that_would_have_expired_already_is_not_made(ctx: Shelfcast):
    with pytest.raises(ValidationError):
        await tokens.issue(ctx, "zagreb", "POS", expires_at=ctx.clock())


@pytest.mark.parametrize("token", ["", "x", "sc_live_short", "sc_live_" + "é" * 32, "sc_live_" + "a" * 32, "\x00"])
async def test_what_is_no_token_of_ours_is_refused(ctx: Shelfcast, token: str):
    with pytest.raises(UnauthorizedError):
        await authenticate(ctx, token)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "\x00"])
async def test_a_token_needs_a_name_that_people_can_read(ctx: Shelfcast, name: str):
    with pytest.raises(ValidationError):
        await tokens.issue(ctx, "zagreb", name)


async def test_a_token_for_a_store_that_does_not_exist_says_what_to_do(ctx: Shelfcast):
    with pytest.raises(NotFoundError, match="store create"):
        await tokens.issue(ctx, "split", "POS")


@pytest.mark.parametrize("what", ["id", "prefix", "token"])
async def test_a_token_is_revoked_by_whatever_is_known_of_it(ctx: Shelfcast, what: str):
    issued = await tokens.issue(ctx, "zagreb", "POS")
    assert (await tokens.revoke(ctx, getattr(issued, what))).id == issued.id
    with pytest.raises(NotFoundError):
        await tokens.revoke(ctx, issued.id)


async def test_a_name_in_several_stores_is_not_guessed_at(ctx: Shelfcast):
    for store in ("zagreb", "lab"):
        await tokens.issue(ctx, store, "POS")
    with pytest.raises(ConflictError, match="give the store"):
        await tokens.revoke(ctx, "POS")
    assert (await tokens.revoke(ctx, "POS", "lab")).store.slug == "lab"


async def noted(ctx: Shelfcast, token_id: str) -> int | None:
    """When the token was last used, once that is written."""
    await asyncio.gather(*callers._noting.values())
    (token,) = [token for token in await tokens.listed(ctx) if token.id == token_id]
    return token.last_used_at


async def test_the_last_use_is_noted_at_most_once_a_minute(ctx: Shelfcast):
    issued = await tokens.issue(ctx, "zagreb", "POS")
    start = ctx.clock()
    seen = []
    for now in (start, start + 30_000, start + 60_000, start + 60_001):
        await authenticate(at(ctx, now), issued.token)
        seen.append(await noted(ctx, issued.id))
    assert seen == [start, start, start, start + 60_001]


async def test_a_use_that_cannot_be_noted_does_not_fail_the_request(ctx: Shelfcast, monkeypatch: pytest.MonkeyPatch):
    issued = await tokens.issue(ctx, "zagreb", "POS")
    tried = asyncio.Event()

    async def full(*_: object) -> None:
        tried.set()
        raise OSError("disk full")

    monkeypatch.setattr(tenants, "touch_token", full)
    await authenticate(ctx, issued.token)
    await asyncio.wait_for(tried.wait(), 5)
    assert (await authenticate(ctx, issued.token)).token_id == issued.id


async def test_a_request_does_not_wait_for_its_use_to_be_noted(ctx: Shelfcast):
    issued = await tokens.issue(ctx, "zagreb", "POS")
    release = asyncio.Event()

    async def hold(_: object) -> None:
        await release.wait()

    holding = [asyncio.create_task(ctx.db.write(hold)) for _ in range(8)]
    await asyncio.sleep(0)
    assert (await asyncio.wait_for(authenticate(ctx, issued.token), 5)).store == "zagreb"
    release.set()
    await asyncio.gather(*holding)
