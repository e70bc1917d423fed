"""Labels as pictures: of products as they would look, of displays as they should and as they were proven to."""

from typing import Any

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from service import previews
from service.api import bodies, requests
from service.api.auth import Authentication
from service.context import Shelfcast
from service.tenants.callers import Caller

PNG = "image/png"


def picture(data: bytes) -> Response[bytes]:
    return Response(data, media_type=PNG, headers={"Cache-Control": "no-store"})


class PreviewsController(Controller):
    middleware = (Authentication,)

    @get("/products/{barcode:str}/preview.png")
    async def product(
        self,
        request: Request[Caller, Any, Any],
        ctx: NamedDependency[Shelfcast],
        barcode: FromPath[str],
    ) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests.PreviewQuery)
        caller = request.user.store_id
        return picture(await previews.of_product(ctx, caller, barcode, query.panel, query.template))

    @get("/products/preview.png")
    async def named_product(
        self, request: Request[Caller, Any, Any], ctx: NamedDependency[Shelfcast]
    ) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests.NamedPreviewQuery)
        caller = request.user.store_id
        return picture(await previews.of_product(ctx, caller, query.barcode, query.panel, query.template))

    @get("/displays/{display:str}/preview.png")
    async def display(
        self, request: Request[Caller, Any, Any], ctx: NamedDependency[Shelfcast], display: FromPath[str]
    ) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests.DisplayPreviewQuery)
        return picture(await previews.of_display(ctx, request.user.store_id, display, query.face))
