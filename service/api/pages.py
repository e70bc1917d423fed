"""The API's own description, for programs and for people."""

import base64
import hashlib
from functools import cache

import msgspec
from litestar import Controller, Response, get
from litestar.response import Redirect

from service.api import discovery, page
from service.api.openapi import document
from service.api.prefix import API_PREFIX

_STYLE_HASH = base64.b64encode(hashlib.sha256(page.STYLE.encode()).digest()).decode()
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


@cache
def _document() -> bytes:
    return msgspec.json.encode(document())


@cache
def _discovery() -> bytes:
    return msgspec.json.encode(discovery.described())


@cache
def _page() -> bytes:
    return page.rendered(document()).encode()


class PagesController(Controller):
    @get("/")
    async def root(self) -> Redirect:
        return Redirect("/docs", status_code=303)

    @get(API_PREFIX)
    async def discovery(self) -> Response[bytes]:
        return Response(_discovery(), media_type="application/json", headers={"Access-Control-Allow-Origin": "*"})

    @get("/openapi.json")
    async def document(self) -> Response[bytes]:
        return Response(_document(), media_type="application/json", headers={"Access-Control-Allow-Origin": "*"})

    @get("/docs")
    async def page(self) -> Response[bytes]:
        return Response(_page(), media_type="text/html; charset=utf-8", headers=_PAGE_HEADERS)
