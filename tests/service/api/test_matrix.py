"""Every route, as the table of operations has it, with every kind of wrong token: a new route cannot be forgotten."""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar

from service.api.operations import OPERATIONS, PATH_PARAMETERS, Operation
from service.api.prefix import API_PREFIX
from service.context import Shelfcast
from service.core.scopes import Scope, allows
from service.store.tables import tokens as tokens_table
from service.tenants import stores, tokens
from service.tenants.stores import NewStore
from tests.service.api.things import THINGS, filled, made
from tests.shop import authenticate

Connect = Callable[..., httpx.AsyncClient]
GUARDED = [operation for operation in OPERATIONS if operation.needs_token]
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = (401, "unauthorized"), (403, "forbidden"), (404, "not_found")
ULID = "01KAMW5T9E8Z3Q4R5S6T7V8W9X"


def test_every_route_is_an_operation_and_says_who_may_ask(app: Litestar):
    routes = {(method, route.path) for route in app.routes for method in route.methods - {"OPTIONS"}}
    described = {(o.route[0], (prefix + o.route[1]).rstrip("/") or "/") for o in OPERATIONS for prefix in prefixes(o)}
    assert {(method, re.sub(r"{\w+:\w+}", "{}", path)) for method, path in routes} == described
    assert [operation.id for operation in GUARDED if not operation.scopes] == []


def test_every_thing_that_a_path_names_can_be_tried():
    named = {name for operation in GUARDED for name in parameters(operation)}
    assert named == THINGS.keys() == PATH_PARAMETERS.keys()


def prefixes(operation: Operation) -> tuple[str, ...]:
    return {"open": ("",), "feed": ("", API_PREFIX)}.get(operation.reach, (API_PREFIX,))


def parameters(operation: Operation) -> list[str]:
    return re.findall(r"{(\w+)}", operation.path)


def requests(operations: list[Operation], things: dict[str, str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each of these operations as a request that would be right, did it come with the right token."""
    for operation in operations:
        path = re.sub(r"{(\w+)}", lambda name: things.get(name[1], ULID), operation.path)
        asked: dict[str, Any] = {"params": required(operation)}
        if operation.example is not None:
            asked |= {"content": msgspec.json.encode(filled(operation.example, things))}
            asked |= {"headers": {"Content-Type": operation.media}}
        for prefix in prefixes(operation):
            yield operation.method.upper(), prefix + path, asked


def required(operation: Operation) -> dict[str, Any]:
    if operation.query is None:
        return {}
    _, schemas = msgspec.json.schema_components((operation.query,))
    described = schemas[operation.query.__name__]
    return {name: described["properties"][name]["examples"][0] for name in described.get("required", ())}


async def refused(
    client: httpx.AsyncClient, operations: list[Operation], things: dict[str, str], refusal: Any, **more: str
):
    assert operations
    for method, path, asked in requests(operations, things):
        answer = await client.request(method, path, **{**asked, "params": asked["params"] | more})
        assert (method, path, answer.status_code, answer.json()["code"]) == (method, path, *refusal)


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ("unknown", UNAUTHORIZED),
        ("expired", UNAUTHORIZED),
        ("revoked", UNAUTHORIZED),
        ("in clear text from elsewhere", FORBIDDEN),
    ],
)
async def test_every_route_refuses_every_wrong_token(
    connect: Connect, ctx: Shelfcast, token: str, wrong: str, refusal: tuple[int, str]
):
    things = await made(ctx, await authenticate(ctx, token))
    issued = (await tokens.issue(ctx, "one", "wrong", scopes=[Scope.ADMIN])).token
    if wrong == "unknown":
        issued = "sc_live_" + "A" * 32
    if wrong == "expired":
        past = tokens_table.update().where(tokens_table.c.name == "wrong").values(expires_at=ctx.clock() - 1)
        await ctx.db.write(lambda conn: conn.execute(past))
    if wrong == "revoked":
        await tokens.revoke(ctx, issued)
    client = connect(issued, "192.0.2.7" if wrong == "in clear text from elsewhere" else "127.0.0.1")
    await refused(client, GUARDED, things, refusal)


async def test_every_route_refuses_a_token_that_may_do_everything_else(connect: Connect, ctx: Shelfcast, token: str):
    things = await made(ctx, await authenticate(ctx, token))
    by_scopes: dict[tuple[Scope, ...], list[Operation]] = {}
    for operation in GUARDED:
        by_scopes.setdefault(operation.scopes, []).append(operation)
    for number, (needed, operations) in enumerate(by_scopes.items()):
        others = [scope for scope in Scope if not allows([scope], needed)]
        assert others
        narrow = await tokens.issue(ctx, "one", f"narrow {number}", scopes=others)
        await refused(connect(narrow.token), operations, things, FORBIDDEN)


async def test_no_route_lets_another_store_at_a_thing(
    connect: Connect, ctx: Shelfcast, token: str, new_store: Callable[[str], Awaitable[str]]
):
    things = await made(ctx, await authenticate(ctx, token))
    await new_store("two")
    other = connect((await tokens.issue(ctx, "two", "admin", scopes=[Scope.ADMIN])).token)
    await refused(other, [o for o in GUARDED if names_a_thing(o)], things, NOT_FOUND)
    await refused(other, [o for o in GUARDED if o.reach == "store"], things, NOT_FOUND, store="one")


@pytest.fixture
async def rival(connect: Connect, ctx: Shelfcast) -> httpx.AsyncClient:
    """Who may do everything in another chain, which has a store too."""
    await stores.create_organisation(ctx, "rivals")
    await stores.create_store(ctx, NewStore(slug="rival", organisation="rivals"))
    issued = await tokens.issue(ctx, None, "head office", organisation="rivals", scopes=[Scope.ADMIN])
    return connect(issued.token)


async def test_no_route_lets_another_chain_at_a_store_or_a_thing(rival: httpx.AsyncClient, ctx: Shelfcast, token: str):
    things = await made(ctx, await authenticate(ctx, token))
    await refused(rival, [o for o in GUARDED if o.reach == "store"], things, NOT_FOUND, store="one")
    await refused(rival, [o for o in GUARDED if o.reach == "chain" and names_a_thing(o)], things, NOT_FOUND)
    await refused(rival, [o for o in GUARDED if o.reach == "feed"], things, FORBIDDEN)


async def test_no_list_of_a_chain_shows_anything_of_another(rival: httpx.AsyncClient, ctx: Shelfcast, token: str):
    caller = await authenticate(ctx, token)
    things = await made(ctx, caller)
    for operation in GUARDED:
        if operation.reach != "chain" or operation.method != "get" or parameters(operation):
            continue
        shown = await rival.get(API_PREFIX + operation.path, params=required(operation))
        assert shown.status_code == 200
        for ours in (*things.values(), caller.token_id):
            assert f'"{ours}"' not in shown.text, (operation.id, ours)


async def test_a_stores_token_is_not_let_at_what_the_chain_has_of_other_stores(
    connect: Connect, ctx: Shelfcast, token: str, new_store: Callable[[str], Awaitable[str]]
):
    caller = await authenticate(ctx, token)
    chain = (await tokens.issue(ctx, None, "chain", organisation="default", scopes=[Scope.ADMIN])).id
    things = await made(ctx, caller)
    await new_store("two")
    other = connect((await tokens.issue(ctx, "two", "admin", scopes=[Scope.ADMIN])).token)
    on_chain = [o for o in GUARDED if o.reach == "chain" and names_a_thing(o)]
    await refused(other, on_chain, things, NOT_FOUND)
    by_token = [o for o in on_chain if "tokenId" in parameters(o)]
    await refused(other, by_token, things | {"tokenId": chain}, NOT_FOUND)


def names_a_thing(operation: Operation) -> bool:
    """A barcode in a body names none: every store may have it."""
    body = operation.example if isinstance(operation.example, dict) else {}
    return bool(parameters(operation) or (THINGS.keys() - {"barcode"}) & body.keys())
