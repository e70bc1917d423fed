"""Products: decode, ask the service, encode."""

import hashlib
from typing import Any

from litestar import Controller, Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from service import auditing
from service.api import bodies, files, requests
from service.api.answers import answer
from service.api.auth import Authentication
from service.api.prefix import API_PREFIX
from service.api.requests import products as asked
from service.context import Shelfcast
from service.products import catalogue, editing, exporting
from service.products.catalogue import shop_of
from service.products.editing import Editor
from service.tenants.tokens import Caller

StoreRequest = Request[Caller, Any, Any]
Context = NamedDependency[Shelfcast]
Which = FromPath[str]


class CatalogueController(Controller):
    middleware = (Authentication,)

    @get("/products")
    async def listed(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), asked.ProductsQuery)
        shop, window = shop_of(request.user), query.window()
        if query.barcode is not None:
            any_state = query.archived is None
            found = catalogue.with_barcode(ctx, shop, query.barcode, query.wanted(), window, any_state=any_state)
            return answer(await found)
        return answer(await catalogue.listed(ctx, shop, query.wanted(), query.sort, window))

    @get("/products/export.csv")
    async def csv(self, request: StoreRequest, ctx: Context) -> Stream:
        query = bodies.convert(dict(request.query_params), asked.WhichQuery)
        chunks = await exporting.exported(ctx, shop_of(request.user), "csv", query.wanted())
        return files.stream(request, chunks, "products.csv", "text/csv; charset=utf-8")

    @get("/products/export.ndjson")
    async def ndjson(self, request: StoreRequest, ctx: Context) -> Stream:
        query = bodies.convert(dict(request.query_params), asked.WhichQuery)
        chunks = await exporting.exported(ctx, shop_of(request.user), "ndjson", query.wanted())
        return files.stream(request, chunks, "products.ndjson", "application/x-ndjson")

    @post("/products")
    async def create(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        body = bodies.decode(await bodies.read(request, ctx.settings.max_body), asked.create_decoder)
        created = await editing.create(ctx, _editor(request), body)
        return answer(created, 201, {"Location": f"{API_PREFIX}/products/{created.product.id}"})

    @get("/products/{product:str}")
    async def one(self, request: StoreRequest, ctx: Context, product: Which) -> Response[bytes]:
        return answer(await catalogue.one(ctx, shop_of(request.user), _named(request, product)))

    @patch("/products/{product:str}")
    async def change(self, request: StoreRequest, ctx: Context, product: Which) -> Response[bytes]:
        named = _named(request, product)
        body = bodies.decode(await bodies.read(request, ctx.settings.max_body), asked.patch_decoder)
        return answer(await editing.patch(ctx, _editor(request), named, body))

    @post("/products/{product:str}/archive")
    async def archive(self, request: StoreRequest, ctx: Context, product: Which) -> Response[bytes]:
        named, reason = _named(request, product), await _reason(request, ctx)
        return answer(await editing.archive(ctx, _editor(request), named, reason))

    @post("/products/{product:str}/restore")
    async def restore(self, request: StoreRequest, ctx: Context, product: Which) -> Response[bytes]:
        named, reason = _named(request, product), await _reason(request, ctx)
        return answer(await editing.restore(ctx, _editor(request), named, reason))

    @get("/products/{product:str}/stock")
    async def stock(self, request: StoreRequest, ctx: Context, product: Which) -> Response[bytes]:
        return answer(await catalogue.stock(ctx, shop_of(request.user), _named(request, product)))

    @post("/products/{product:str}/stock")
    async def change_stock(self, request: StoreRequest, ctx: Context, product: Which) -> Response[bytes]:
        named = _named(request, product)
        key = requests.idempotency_key(request.headers.get("idempotency-key"))
        body = await bodies.read(request, ctx.settings.max_body)
        digest = hashlib.sha256(f"{named}\n".encode() + body).hexdigest()
        change = bodies.decode(body, asked.stock_decoder).change(key, digest)
        return answer(await editing.change_stock(ctx, _editor(request), named, change))

    @get("/products/{product:str}/prices")
    async def prices(self, request: StoreRequest, ctx: Context, product: Which) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), asked.PartsQuery)
        return answer(await catalogue.prices(ctx, shop_of(request.user), query.named(product), query.window()))

    @get("/products/{product:str}/changes")
    async def changes(self, request: StoreRequest, ctx: Context, product: Which) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), asked.PartsQuery)
        return answer(await catalogue.changes(ctx, shop_of(request.user), query.named(product), query.window()))

    @get("/products/{product:str}/displays")
    async def displays(self, request: StoreRequest, ctx: Context, product: Which) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), asked.ProductDisplaysQuery)
        named, window = query.named(product), query.window()
        return answer(await catalogue.displays(ctx, shop_of(request.user), named, window, ended=query.all))

    @get("/prices")
    async def all_prices(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), asked.PricesQuery)
        since = query.moment(request.user.timezone)
        return answer(await catalogue.all_prices(ctx, shop_of(request.user), since, query.window()))


def _named(request: StoreRequest, product: str) -> catalogue.Named:
    return bodies.convert(dict(request.query_params), asked.ProductQuery).named(product)


def _editor(request: StoreRequest) -> Editor:
    return Editor(shop_of(request.user), auditing.by(request.user))


async def _reason(request: StoreRequest, ctx: Shelfcast) -> str | None:
    body = await bodies.read_optional(request, ctx.settings.max_body)
    return bodies.decode(body or b"{}", asked.because_decoder).reason
