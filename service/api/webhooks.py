"""Webhooks over HTTP: endpoints, what happened, and what was posted to whom."""

from typing import Any

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from service.api import bodies
from service.api.answers import answer
from service.api.auth import Authentication
from service.api.prefix import API_PREFIX
from service.api.requests import ListQuery, milliseconds
from service.api.requests import webhooks as webhook_requests
from service.context import Shelfcast
from service.store.tenants import Token
from service.webhooks import deliveries, webhooks
from service.webhooks.webhooks import side_of

ChainRequest = Request[Token, Any, Any]
Context = NamedDependency[Shelfcast]
Id = FromPath[str]


class WebhooksController(Controller):
    path = "/webhooks"
    middleware = (Authentication,)

    @get()
    async def listing(self, request: ChainRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), ListQuery)
        return answer(await webhooks.listing(ctx, side_of(request.user), query.window()))

    @post()
    async def create(self, request: ChainRequest, ctx: Context) -> Response[bytes]:
        wanted = bodies.decode(await bodies.read(request, ctx.settings.max_body), webhook_requests.new_decoder)
        made = await webhooks.create(ctx, side_of(request.user), wanted)
        return answer(made, 201, {"Location": f"{API_PREFIX}/webhooks/{made.id}"})

    @get("/{webhook_id:str}")
    async def one(self, request: ChainRequest, ctx: Context, webhook_id: Id) -> Response[bytes]:
        return answer(await webhooks.get(ctx, side_of(request.user), webhook_id))

    @patch("/{webhook_id:str}")
    async def change(self, request: ChainRequest, ctx: Context, webhook_id: Id) -> Response[bytes]:
        wanted = bodies.decode(await bodies.read(request, ctx.settings.max_body), webhook_requests.change_decoder)
        return answer(await webhooks.change(ctx, side_of(request.user), webhook_id, wanted))

    @delete("/{webhook_id:str}", status_code=204)
    async def remove(self, request: ChainRequest, ctx: Context, webhook_id: Id) -> None:
        await webhooks.remove(ctx, side_of(request.user), webhook_id)

    @post("/{webhook_id:str}/rotate")
    async def rotate(self, request: ChainRequest, ctx: Context, webhook_id: Id) -> Response[bytes]:
        return answer(await webhooks.rotate(ctx, side_of(request.user), webhook_id))

    @post("/{webhook_id:str}/test")
    async def test(self, request: ChainRequest, ctx: Context, webhook_id: Id) -> Response[bytes]:
        return answer(await webhooks.test(ctx, side_of(request.user), webhook_id))

    @get("/{webhook_id:str}/deliveries")
    async def deliveries(self, request: ChainRequest, ctx: Context, webhook_id: Id) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), webhook_requests.DeliveriesQuery)
        side = side_of(request.user)
        return answer(await deliveries.of_webhook(ctx, side, webhook_id, query.state, query.kind, query.window()))


class DeliveriesController(Controller):
    middleware = (Authentication,)

    @get("/deliveries/{delivery_id:str}")
    async def one(self, request: ChainRequest, ctx: Context, delivery_id: Id) -> Response[bytes]:
        return answer(await deliveries.get(ctx, side_of(request.user), delivery_id))

    @post("/deliveries/{delivery_id:str}/redeliver")
    async def redeliver(self, request: ChainRequest, ctx: Context, delivery_id: Id) -> Response[bytes]:
        made = await deliveries.redeliver(ctx, side_of(request.user), delivery_id)
        return answer(made, 201, {"Location": f"{API_PREFIX}/deliveries/{made.id}"})

    @get("/events")
    async def events(self, request: ChainRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), webhook_requests.EventsQuery)
        between = milliseconds(query.since), milliseconds(query.until)
        side = side_of(request.user)
        return answer(await deliveries.events(ctx, side, query.store, query.kind, *between, query.window()))
