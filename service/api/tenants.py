"""Chains, their stores and tokens, and the way from a sandbox to production."""

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from service.api import bodies
from service.api.answers import answer
from service.api.auth import Authentication
from service.api.prefix import API_PREFIX
from service.api.requests import tenants as requests
from service.context import Shelfcast
from service.store.tenants import Store, Token
from service.tenants import chains, issuing, onboarding, sandboxes
from service.tenants.callers import Caller, reached

ChainRequest = Request[Token, Any, Any]
Context = NamedDependency[Shelfcast]

_store = msgspec.json.Decoder(requests.CreateStore)
_change = msgspec.json.Decoder(requests.ChangeStore)
_simulate = msgspec.json.Decoder(requests.Simulate)
_issue = msgspec.json.Decoder(requests.IssueToken)
_rotate = msgspec.json.Decoder(requests.RotateToken)
_ask = msgspec.json.Decoder(requests.AskProduction)


class StoresController(Controller):
    middleware = (Authentication,)

    @get("/organisation")
    async def organisation(self, request: ChainRequest, ctx: Context) -> Response[bytes]:
        return answer(await issuing.whose(ctx, request.user))

    @get("/stores")
    async def stores(self, request: ChainRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests.StoresQuery)
        return answer(await chains.listing(ctx, request.user, query.environment, query.search, query.window()))

    @post("/stores")
    async def create(self, request: ChainRequest, ctx: Context) -> Response[bytes]:
        sent = bodies.decode(await bodies.read(request, ctx.settings.max_body), _store)
        made = await chains.create(ctx, request.user, sent.new())
        return answer(made, 201, {"Location": f"{API_PREFIX}/stores/{made.slug}"})

    @get("/stores/{store:str}")
    async def store(self, request: ChainRequest, ctx: Context, store: FromPath[str]) -> Response[bytes]:
        return answer(await chains.one(ctx, request.user, store))

    @patch("/stores/{store:str}")
    async def change(self, request: ChainRequest, ctx: Context, store: FromPath[str]) -> Response[bytes]:
        sent = bodies.decode(await bodies.read(request, ctx.settings.max_body), _change)
        return answer(await chains.change(ctx, request.user, store, sent.change()))

    @post("/stores/{store:str}/simulator")
    async def simulate(self, request: ChainRequest, ctx: Context, store: FromPath[str]) -> Response[bytes]:
        sent = bodies.decode(await bodies.read_optional(request, ctx.settings.max_body) or b"{}", _simulate)
        owner, who = await _reached(ctx, request.user, store), f"token {request.user.name}"
        return answer(await sandboxes.simulate(ctx, owner, sent.displays, sent.barcodes, by=who))


async def _reached(ctx: Shelfcast, user: Token, named: str) -> Store:
    async with ctx.db.glance() as conn:
        return await reached(conn, user, named)


class TokensController(Controller):
    path = "/tokens"
    middleware = (Authentication,)

    @get()
    async def tokens(self, request: ChainRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests.TokensQuery)
        return answer(await issuing.listing(ctx, request.user, query.store, query.active, query.window()))

    @post()
    async def issue(self, request: ChainRequest, ctx: Context) -> Response[bytes]:
        sent = bodies.decode(await bodies.read(request, ctx.settings.max_body), _issue)
        issued = await issuing.issue(ctx, request.user, sent.store, sent.wanted(request.user.plan))
        return answer(issued, 201, {"Location": f"{API_PREFIX}/tokens/{issued.id}"})

    @get("/{token_id:str}")
    async def token(self, request: ChainRequest, ctx: Context, token_id: FromPath[str]) -> Response[bytes]:
        return answer(await issuing.one(ctx, request.user, token_id))

    @post("/{token_id:str}/rotate")
    async def rotate(self, request: ChainRequest, ctx: Context, token_id: FromPath[str]) -> Response[bytes]:
        sent = bodies.decode(await bodies.read_optional(request, ctx.settings.max_body) or b"{}", _rotate)
        ends = requests.milliseconds(sent.expires_at)
        made = await issuing.rotate(ctx, request.user, token_id, sent.overlap, ends)
        return answer(made, 201, {"Location": f"{API_PREFIX}/tokens/{made.id}"})

    @post("/{token_id:str}/revoke")
    async def revoke(self, request: ChainRequest, ctx: Context, token_id: FromPath[str]) -> Response[bytes]:
        return answer(await issuing.revoke(ctx, request.user, token_id))


class ProductionController(Controller):
    path = "/production"
    middleware = (Authentication,)

    @get()
    async def production(self, request: Request[Caller, Any, Any], ctx: Context) -> Response[bytes]:
        return answer(await onboarding.production(ctx, request.user))

    @post()
    async def ask(self, request: Request[Caller, Any, Any], ctx: Context) -> Response[bytes]:
        sent = bodies.decode(await bodies.read(request, ctx.settings.max_body), _ask)
        return answer(await onboarding.ask(ctx, request.user, sent.contact, sent.note), 201)

    @post("/token")
    async def fetch(self, request: Request[Caller, Any, Any], ctx: Context) -> Response[bytes]:
        return answer(await onboarding.fetch(ctx, request.user))
