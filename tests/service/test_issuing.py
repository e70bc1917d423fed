"""Tokens that tokens issue: nobody hands on more than there was."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from service.api.requests.tenants import Role
from service.context import Shelfcast, opened
from service.core.limits import PLANS as LIMITED
from service.core.scopes import ROLES, Scope, implied
from service.errors import ConflictError, ForbiddenError, NotFoundError, ServiceError, UnauthorizedError
from service.messages import Window
from service.settings import Settings
from service.store import chain_tables, tenants
from service.store.tenants import Token
from service.tenants import issuing, stores, tokens
from service.tenants.stores import NewStore
from service.tenants.tokens import Wanted

DAY = 86_400_000
PLANS = (*(plan.name for plan in LIMITED), "unlimited")
"""The tightest first."""


@pytest.fixture
async def ctx(ctx: Shelfcast) -> Shelfcast:
    """With a live and a sandbox store of one chain, and a store of another."""
    await furnish(ctx)
    return ctx


async def furnish(ctx: Shelfcast) -> None:
    await stores.create_store(ctx, NewStore(slug="zagreb"))
    await stores.create_store(ctx, NewStore(slug="lab", sandbox=True))
    await stores.create_organisation(ctx, "rivals")
    await stores.create_store(ctx, NewStore(slug="rival", organisation="rivals"))


async def token(
    ctx: Shelfcast, store: str | None, name: str = "first", *, scopes: list[Scope], **more: object
) -> Token:
    chain = None if store else "default"
    issued = await tokens.issue(ctx, store, name, organisation=chain, scopes=scopes, **more)
    return await tokens.identify(ctx, issued.token)


def at(ctx: Shelfcast, now: int) -> Shelfcast:
    return replace(ctx, clock=lambda: now)


async def test_a_token_issues_one_of_its_own_store(ctx: Shelfcast):
    first = await token(ctx, "zagreb", scopes=[Scope.TOKENS_WRITE, Scope.FEED])
    issued = await issuing.issue(ctx, first, None, Wanted(name="till"))
    known = await tokens.identify(ctx, issued.token)
    assert known.store is not None
    assert (known.store.slug, known.scopes, known.created_by) == ("zagreb", ("feed",), "token first")


async def test_a_chains_token_issues_for_the_chain_and_for_each_store(ctx: Shelfcast):
    first = await token(ctx, None, scopes=[Scope.ADMIN])
    kinds = [(await issuing.issue(ctx, first, store, Wanted(name="t"))).token[:8] for store in (None, "zagreb", "lab")]
    assert kinds == ["sc_live_", "sc_live_", "sc_test_"]
    with pytest.raises(NotFoundError):
        await issuing.issue(ctx, first, "rival", Wanted(name="t"))


async def test_the_token_of_a_store_does_not_reach_beyond_it(ctx: Shelfcast):
    first = await token(ctx, "zagreb", scopes=[Scope.ADMIN])
    chain = await token(ctx, None, "chain", scopes=[Scope.ADMIN])
    for unknown in ("lab", "rival", "nowhere", "\x00"):
        with pytest.raises(NotFoundError):
            await issuing.issue(ctx, first, unknown, Wanted(name="t"))
    for verb in (issuing.one, issuing.revoke):
        with pytest.raises(NotFoundError):
            await verb(ctx, first, chain.id)
    assert {shown.id for shown in (await issuing.listing(ctx, first, None, None, Window())).data} == {first.id}


async def test_a_token_that_writes_tokens_alone_cannot_rotate_itself_into_an_administrator(ctx: Shelfcast):
    narrow = await token(ctx, "zagreb", scopes=[Scope.TOKENS_WRITE])
    admin = await token(ctx, "zagreb", "admin", scopes=[Scope.ADMIN])
    with pytest.raises(ForbiddenError) as refused:
        await issuing.rotate(ctx, narrow, admin.id, 0, None)
    assert set(refused.value.fields or {}) == {"scopes"}


async def test_a_token_issues_nothing_that_outlives_it(ctx: Shelfcast):
    end = ctx.clock() + DAY
    first = await token(ctx, "zagreb", scopes=[Scope.ADMIN], expires_at=end)
    with pytest.raises(ForbiddenError):
        await issuing.issue(ctx, first, None, Wanted(name="t", expires_at=end + 1))
    issued = await issuing.issue(ctx, first, None, Wanted(name="t"))
    assert (await tokens.identify(at(ctx, end - 1), issued.token)).expires_at == end
    with pytest.raises(ForbiddenError):
        await issuing.rotate(ctx, first, first.id, 0, end + 1)


async def test_a_rotation_leaves_two_active_until_the_overlap_is_over(ctx: Shelfcast):
    start = ctx.clock()
    first = await tokens.issue(ctx, "zagreb", "POS", scopes=[Scope.FEED], plan="growth")
    second = await tokens.rotate(at(ctx, start), "POS", overlap=60)
    for one in (first, second):
        await tokens.identify(at(ctx, start + 59_999), one.token)
    with pytest.raises(UnauthorizedError, match="expired"):
        await tokens.identify(at(ctx, start + 60_000), first.token)
    known = await tokens.identify(at(ctx, start + 60_000), second.token)
    assert (known.name, known.scopes, known.plan, known.replaces) == ("POS", ("feed",), "growth", first.id)


async def test_without_an_overlap_the_old_token_ends_at_once(ctx: Shelfcast):
    first = await tokens.issue(ctx, "zagreb", "POS")
    await tokens.rotate(ctx, "POS", overlap=0)
    with pytest.raises(UnauthorizedError):
        await tokens.identify(ctx, first.token)


async def test_a_rotation_never_prolongs_an_earlier_expiry(ctx: Shelfcast):
    end = ctx.clock() + 60_000
    first = await tokens.issue(ctx, "zagreb", "POS", expires_at=end)
    second = await tokens.rotate(ctx, first.id)
    with pytest.raises(UnauthorizedError):
        await tokens.identify(at(ctx, end), first.token)
    assert second.expires_at == end


async def test_a_third_active_token_of_one_name_is_refused_whichever_is_rotated(ctx: Shelfcast):
    first = await tokens.issue(ctx, "zagreb", "POS")
    second = await tokens.rotate(ctx, "POS")
    for one in (first, second):
        with pytest.raises(ConflictError, match="rotation that is under way"):
            await tokens.rotate(ctx, one.id)
    await tokens.revoke(ctx, first.id)
    await tokens.rotate(ctx, second.id)


async def test_of_two_rotations_at_once_one_is_refused(ctx: Shelfcast):
    first = await tokens.issue(ctx, "zagreb", "POS")
    outcomes = await asyncio.gather(*(tokens.rotate(ctx, first.id) for _ in range(2)), return_exceptions=True)
    assert sorted(type(one) for one in outcomes if isinstance(one, Exception)) == [ConflictError]


async def test_what_is_revoked_cannot_be_rotated(ctx: Shelfcast):
    admin = await token(ctx, "zagreb", "admin", scopes=[Scope.ADMIN])
    first = await tokens.issue(ctx, "zagreb", "POS")
    await tokens.revoke(ctx, first.id)
    with pytest.raises(ConflictError, match="not active"):
        await issuing.rotate(ctx, admin, first.id, 0, None)


async def test_names_of_a_chain_and_of_its_stores_are_apart(ctx: Shelfcast):
    for store in (None, "zagreb", "lab"):
        await token(ctx, store, "POS", scopes=[Scope.FEED])
    with pytest.raises(ConflictError, match="The chain has an active token named POS"):
        await token(ctx, None, "POS", scopes=[Scope.FEED])


async def test_whatever_is_done_to_a_token_is_in_the_audit_log_without_it(ctx: Shelfcast):
    first = await token(ctx, "zagreb", scopes=[Scope.ADMIN])
    issued = await issuing.issue(ctx, first, None, Wanted(name="t"))
    rotated = await issuing.rotate(ctx, first, issued.id, 0, None)
    await issuing.revoke(ctx, first, rotated.id)
    await issuing.revoke(ctx, first, rotated.id)
    async with ctx.db.read() as conn:
        rows = (await conn.execute(chain_tables.audit.select().order_by(chain_tables.audit.c.id))).mappings().all()
    ours = [(row["action"], row["actor"], row["subject"]) for row in rows if row["actor"] == "token first"]
    assert ours == [
        ("token.created", "token first", issued.id),
        ("token.rotated", "token first", rotated.id),
        ("token.revoked", "token first", rotated.id),
    ]
    assert issued.token not in repr(rows)


@pytest.mark.parametrize(("active", "shown"), [(None, "CBA"), (True, "C"), (False, "BA")])
async def test_a_list_is_filtered_by_whether_tokens_are_active(ctx: Shelfcast, active: bool | None, shown: str):
    admin = await token(ctx, None, "admin", scopes=[Scope.ADMIN])
    for name in "ABC":
        await token(ctx, "lab", name, scopes=[Scope.FEED], expires_at=ctx.clock() + DAY * (1 if name == "A" else 3))
    await tokens.revoke(ctx, "B")
    listed = await issuing.listing(at(ctx, ctx.clock() + 2 * DAY), admin, "lab", active, Window())
    assert "".join(one.name for one in listed.data) == shown
    assert (listed.meta.total, listed.meta.next) == (len(shown), None)


async def test_a_list_goes_on_where_its_page_ended_whatever_comes_meanwhile(ctx: Shelfcast):
    admin = await token(ctx, None, "admin", scopes=[Scope.ADMIN])
    for name in "ABC":
        await token(ctx, "lab", name, scopes=[Scope.FEED])
    first = await issuing.listing(ctx, admin, "lab", None, Window(per_page=2))
    await token(ctx, "lab", "D", scopes=[Scope.FEED])
    second = await issuing.listing(ctx, admin, "lab", None, Window(per_page=2, cursor=first.meta.next))
    assert [one.name for one in (*first.data, *second.data)] == ["C", "B", "A"]


def test_the_api_knows_the_very_roles():
    assert set(Role.__args__) == set(ROLES)  # type: ignore[attr-defined]


@asynccontextmanager
async def chain(on_sqlite: Settings) -> AsyncIterator[Shelfcast]:
    """As the fixture, for many examples in one test."""
    async with opened(on_sqlite) as ctx:
        async with ctx.db.read() as conn:
            there = await tenants.find_store(conn, "zagreb")
        if there is None:
            await furnish(ctx)
        yield ctx


STEP = st.tuples(
    st.sampled_from(["issue", "issue", "rotate"]),
    st.integers(0, 20),
    st.integers(0, 20),
    st.sampled_from([None, "zagreb", "lab", "rival"]),
    st.lists(st.sampled_from([*Scope]), max_size=4),
    st.sampled_from(PLANS),
    st.sampled_from([None, DAY // 2, DAY, 2 * DAY]),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes: each step is a transaction
)
@given(
    store=st.sampled_from([None, "zagreb", "lab"]),
    scopes=st.lists(st.sampled_from([*Scope]), max_size=5),
    plan=st.sampled_from(PLANS),
    lives=st.sampled_from([None, DAY]),
    steps=st.lists(STEP, min_size=1, max_size=8),
)
async def test_no_sequence_of_issues_comes_to_more_than_the_first_token_was(
    on_sqlite: Settings, store: str | None, scopes: list[Scope], plan: str, lives: int | None, steps: list[tuple]
):
    async with chain(on_sqlite) as ctx:
        start = ctx.clock()
        name = f"first {start} {id(steps)}"
        ends = None if lives is None else start + lives
        chosen = [*scopes, Scope.TOKENS_WRITE]
        first = await token(ctx, store, name, scopes=chosen, plan=plan, expires_at=ends)
        bystander = await token(ctx, "zagreb", f"{name} bystander", scopes=[Scope.ADMIN])
        held = [first]
        for number, (verb, who, which, where, wanted, better, later) in enumerate(steps):
            asking = held[who % len(held)]
            try:
                if verb == "issue":
                    new = Wanted(
                        name=f"{name} {number}",
                        scopes=wanted,
                        plan=better,
                        expires_at=None if later is None else start + later,
                    )
                    made = await issuing.issue(ctx, asking, where, new)
                else:
                    known = [*held, bystander]
                    made = await issuing.rotate(ctx, asking, known[which % len(known)].id, which, None)
            except ServiceError:
                continue
            held.append(await tokens.identify(ctx, made.token))
        for one in held:
            assert implied(one.scopes) <= implied(first.scopes)
            assert one.organisation_id == first.organisation_id
            assert first.store is None or one.store == first.store
            assert PLANS.index(one.plan) <= PLANS.index(first.plan)
            assert ends is None or (one.expires_at is not None and one.expires_at <= ends)
