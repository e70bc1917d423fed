"""The feed API: decode, ask the service, encode."""

import asyncio
import hashlib
from typing import Any

import structlog
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from service import events, feed
from service.api import bodies, requests, streams
from service.api.answers import answer, rows_answer, status_answer
from service.api.auth import Authentication
from service.context import Shelfcast
from service.core.batches import TERMINAL
from service.core.onboarding import Milestone
from service.tenants import onboarding
from service.tenants.callers import Caller

FeedRequest = Request[Caller, Any, Any]
Context = NamedDependency[Shelfcast]
SessionId = FromPath[str]


class ProductsController(Controller):
    middleware = (Authentication,)

    @post("/add")
    async def add(self, request: FeedRequest, ctx: Context) -> Response[bytes]:
        body = await bodies.read(request, ctx.settings.max_body)
        products = requests.products_of(bodies.decode(body, requests.products_decoder))
        accepted = await feed.change(ctx, request.user, "whole", products)
        onboarding.note_rows(ctx, request.user, Milestone.ADDED, products, accepted)
        return rows_answer(request, accepted)

    @post("/productUpdate")
    async def product_update(self, request: FeedRequest, ctx: Context) -> Response[bytes]:
        body = await bodies.read(request, ctx.settings.max_body)
        products = requests.products_of(bodies.decode(body, requests.products_decoder))
        accepted = await feed.change(ctx, request.user, "patch", products)
        onboarding.note_rows(ctx, request.user, Milestone.UPDATED, products, accepted)
        return rows_answer(request, accepted)


class BatchController(Controller):
    path = "/batch"
    middleware = (Authentication,)

    @post("/start")
    async def start(self, request: FeedRequest, ctx: Context) -> Response[bytes]:
        body = await bodies.read_optional(request, ctx.settings.max_body)
        asked = bodies.decode(body or b"{}", requests.start_decoder)
        session = await feed.start(ctx, request.user, asked.reference, asked.mode, asked.expected_products)
        return answer(session, 201, {"Location": f"/api/v1/batch/{session.session_id}/status"})

    @post("/push")
    async def push(self, request: FeedRequest, ctx: Context) -> Response[bytes]:
        key = requests.idempotency_key(request.headers.get("idempotency-key"))
        body = await bodies.read(request, ctx.settings.max_body)
        sent = bodies.decode(body, requests.push_decoder)
        structlog.contextvars.bind_contextvars(batch_id=sent.session_id[:26])
        digest = hashlib.sha256(body).hexdigest()
        accepted = await feed.push(
            ctx, request.user, sent.session_id, sent.products, key=key, sequence=sent.sequence, body_hash=digest
        )
        onboarding.note_rows(ctx, request.user, None, sent.products, accepted)
        return rows_answer(request, accepted)

    @post("/complete")
    async def complete(self, request: FeedRequest, ctx: Context) -> Response[bytes]:
        sent = bodies.decode(await bodies.read(request, ctx.settings.max_body), requests.complete_decoder)
        structlog.contextvars.bind_contextvars(batch_id=sent.session_id[:26])
        return answer(await feed.complete(ctx, request.user, sent.session_id), 202)

    @get("/{session_id:str}/status")
    async def status(self, request: FeedRequest, ctx: Context, session_id: SessionId) -> Response[bytes]:
        status = await feed.status(ctx, request.user, session_id)
        onboarding.note_poll(ctx, request.user, status)
        return status_answer(status)

    @get("/{session_id:str}/events")
    async def events(self, request: FeedRequest, ctx: Context, session_id: SessionId) -> Response[bytes] | Stream:
        if request.headers.get("last-event-id") == streams.FINAL:
            status = await feed.status(ctx, request.user, session_id)
            if status.status in TERMINAL:
                return Response(b"", status_code=204)
        stopping: asyncio.Event = request.app.state.stopping
        stream = await streams.opened(events.watch(ctx, request.user, session_id), stopping)
        onboarding.note_stream(ctx, request.user)
        return stream

    @post("/{session_id:str}/cancel")
    async def cancel(self, request: FeedRequest, ctx: Context, session_id: SessionId) -> Response[bytes]:
        return status_answer(await feed.cancel(ctx, request.user, session_id))

    @get("/{session_id:str}/errors")
    async def errors(self, request: FeedRequest, ctx: Context, session_id: SessionId) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests.ListQuery)
        rejected = await feed.errors(ctx, request.user, session_id, query.window())
        onboarding.note_errors(ctx, request.user, rejected)
        return answer(rejected)

    @get("/{session_id:str}/displays")
    async def displays(self, request: FeedRequest, ctx: Context, session_id: SessionId) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests.DisplaysQuery)
        return answer(await feed.displays_of(ctx, request.user, session_id, query.state, query.window()))
