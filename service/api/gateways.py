"""The API of gateways: decode, ask the service, encode."""

from typing import Any

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from service.api import bodies
from service.api.answers import answer
from service.api.auth import Authentication
from service.api.requests import gateways as requests
from service.auditing import by
from service.context import Shelfcast
from service.gateways import gateway_setup, gateway_states, maintenance
from service.tenants.tokens import Caller

StoreRequest = Request[Caller, Any, Any]
Context = NamedDependency[Shelfcast]
GatewayId = FromPath[str]


class GatewaysController(Controller):
    path = "/gateways"
    middleware = (Authentication,)

    @get()
    async def listed(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests.GatewaysQuery)
        return answer(await gateway_states.listed(ctx, request.user.store_id, query.state, query.window()))

    @post()
    async def add(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        new = bodies.decode(await bodies.read(request, ctx.settings.max_body), requests.new_gateway)
        added = await gateway_setup.add(ctx, request.user.store_id, by(request.user), new.new(ctx.settings))
        made = await gateway_states.one(ctx, request.user.store_id, added)
        return answer(made, 201, {"Location": f"/api/v1/gateways/{added}"})

    @get("/{gateway_id:str}")
    async def one(self, request: StoreRequest, ctx: Context, gateway_id: GatewayId) -> Response[bytes]:
        return await _now(request, ctx, gateway_id)

    @patch("/{gateway_id:str}")
    async def change(self, request: StoreRequest, ctx: Context, gateway_id: GatewayId) -> Response[bytes]:
        new = bodies.decode(await bodies.read(request, ctx.settings.max_body), requests.changed_gateway)
        changes = new.changes(ctx.settings)
        await gateway_setup.change(ctx, request.user.store_id, by(request.user), gateway_id, changes)
        return await _now(request, ctx, gateway_id)

    @post("/{gateway_id:str}/retire")
    async def retire(self, request: StoreRequest, ctx: Context, gateway_id: GatewayId) -> Response[bytes]:
        await gateway_setup.retire(ctx, request.user.store_id, by(request.user), gateway_id)
        return await _now(request, ctx, gateway_id)

    @post("/{gateway_id:str}/maintenance")
    async def begin(self, request: StoreRequest, ctx: Context, gateway_id: GatewayId) -> Response[bytes]:
        asked = bodies.decode(await bodies.read(request, ctx.settings.max_body), requests.maintenance)
        await maintenance.begin(ctx, request.user.store_id, by(request.user), gateway_id, asked.reason.strip())
        return await _now(request, ctx, gateway_id)

    @delete("/{gateway_id:str}/maintenance", status_code=200)
    async def end(self, request: StoreRequest, ctx: Context, gateway_id: GatewayId) -> Response[bytes]:
        await maintenance.end(ctx, request.user.store_id, by(request.user), gateway_id)
        return await _now(request, ctx, gateway_id)


async def _now(request: StoreRequest, ctx: Shelfcast, gateway_id: str) -> Response[bytes]:
    return answer(await gateway_states.one(ctx, request.user.store_id, gateway_id))
