"""The import API: decode, ask the service, encode."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Controller, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import InternalServerException
from litestar.params import FromPath

from service.api import bodies, requests
from service.api.answers import POLL_AFTER, answer
from service.api.auth import Authentication
from service.api.requests import imports as import_requests
from service.context import Shelfcast
from service.errors import ValidationError
from service.importing import imports
from service.messages.imports import Import
from service.tenants.tokens import Caller

StoreRequest = Request[Caller, Any, Any]
Context = NamedDependency[Shelfcast]
ImportId = FromPath[str]


class ImportsController(Controller):
    path = "/imports"
    middleware = (Authentication,)

    @post("")
    async def start(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        body = await bodies.read_optional(request, ctx.settings.max_body)
        asked = bodies.decode(body or b"{}", import_requests.new_decoder)
        new = await imports.start(ctx, request.user, asked.options(), asked.mode, asked.reference, dry=asked.dry_run)
        return answer(new, 201, {"Location": f"/api/v1/imports/{new.id}"})

    @get("")
    async def listed(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), import_requests.ImportsQuery)
        return answer(await imports.listed(ctx, request.user, query.status, query.window()))

    @get("/{import_id:str}")
    async def one(self, request: StoreRequest, ctx: Context, import_id: ImportId) -> Response[bytes]:
        return _standing(await imports.one(ctx, request.user, import_id))

    @put("/{import_id:str}/file", request_max_body_size=None)
    async def receive(self, request: StoreRequest, ctx: Context, import_id: ImportId) -> Response[bytes]:
        headers = request.headers
        part = import_requests.part(headers.get("content-range"), headers.get("content-length"))
        return answer(await imports.receive(ctx, request.user, import_id, part, _pieces(request)))

    @post("/{import_id:str}/finalize")
    async def finalize(self, request: StoreRequest, ctx: Context, import_id: ImportId) -> Response[bytes]:
        body = await bodies.read_optional(request, ctx.settings.max_body)
        said = bodies.decode(body or b"{}", import_requests.finalize_decoder)
        return _standing(await imports.finalize(ctx, request.user, import_id, said.sha256), 202)

    @post("/{import_id:str}/cancel")
    async def cancel(self, request: StoreRequest, ctx: Context, import_id: ImportId) -> Response[bytes]:
        return _standing(await imports.cancel(ctx, request.user, import_id), 200)

    @get("/{import_id:str}/differences")
    async def differences(self, request: StoreRequest, ctx: Context, import_id: ImportId) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests.ListQuery)
        return answer(await imports.differences(ctx, request.user, import_id, query.window()))


def _standing(found: Import, status: int = 200) -> Response[bytes]:
    """With the advice when to ask again, while the file is read."""
    return answer(found, status, {"Retry-After": str(POLL_AFTER)} if found.status == "processing" else {})


async def _pieces(request: StoreRequest) -> AsyncIterator[bytes]:
    """The body as it comes. Raises ValidationError where the connection breaks."""
    try:
        async for piece in request.stream():
            yield piece
    except InternalServerException:
        raise ValidationError("The connection ended before the body did.") from None
