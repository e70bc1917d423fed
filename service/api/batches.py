"""The API of all batches of a store, its guards, and the audit log: decode, ask the service, encode."""

from typing import Any

from litestar import Controller, Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from service import audit_log
from service.api import bodies
from service.api.answers import answer
from service.api.auth import Authentication
from service.api.requests import batches as requests
from service.auditing import by
from service.batches import batch_states, guarding, retrying
from service.context import Shelfcast
from service.store.tenants import Token
from service.tenants.tokens import Caller

StoreRequest = Request[Caller, Any, Any]
ChainRequest = Request[Token, Any, Any]
Context = NamedDependency[Shelfcast]
SessionId = FromPath[str]


class BatchesController(Controller):
    path = "/batches"
    middleware = (Authentication,)

    @get()
    async def listed(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests.BatchesQuery)
        page = await batch_states.listed(ctx, request.user.store_id, query.wanted(ctx.clock()), query.window())
        return answer(page)

    @get("/{session_id:str}")
    async def one(self, request: StoreRequest, ctx: Context, session_id: SessionId) -> Response[bytes]:
        return await _now(request, ctx, session_id)

    @post("/{session_id:str}/release", status_code=200)
    async def release(self, request: StoreRequest, ctx: Context, session_id: SessionId) -> Response[bytes]:
        await guarding.release(ctx, request.user.store_id, by(request.user), session_id)
        return await _now(request, ctx, session_id)

    @post("/{session_id:str}/cancel", status_code=200)
    async def cancel(self, request: StoreRequest, ctx: Context, session_id: SessionId) -> Response[bytes]:
        await guarding.cancel(ctx, request.user.store_id, by(request.user), session_id)
        return await _now(request, ctx, session_id)

    @post("/{session_id:str}/retry", status_code=200)
    async def retry(self, request: StoreRequest, ctx: Context, session_id: SessionId) -> Response[bytes]:
        return answer(await retrying.retry(ctx, request.user.store_id, by(request.user), session_id))


async def _now(request: StoreRequest, ctx: Shelfcast, session_id: str) -> Response[bytes]:
    return answer(await batch_states.one(ctx, request.user.store_id, session_id))


class GuardsController(Controller):
    path = "/guards"
    middleware = (Authentication,)

    @get()
    async def read(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        return answer(await guarding.guards(ctx, request.user.store_id))

    @patch()
    async def change(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        asked = bodies.decode(await bodies.read(request, ctx.settings.max_body), requests.guards)
        return answer(await guarding.set_guards(ctx, request.user.store_id, by(request.user), asked.changes()))


class AuditController(Controller):
    path = "/audit"
    middleware = (Authentication,)

    @get()
    async def listed(self, request: ChainRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests.AuditQuery)
        return answer(await audit_log.listed(ctx, request.user, query.asked(), query.window()))
