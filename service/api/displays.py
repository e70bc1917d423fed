"""Displays: lists, what is done with them, what they went through, and what they showed at a time."""

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from service import auditing
from service.api import bodies, display_rows
from service.api.answers import answer
from service.api.auth import Authentication
from service.api.previews import picture
from service.api.requests import displays as requests_displays
from service.api.requests import milliseconds
from service.context import Shelfcast
from service.errors import ValidationError
from service.messages.displays import Imported, RefusedRow
from service.shelves import blinking, display_history, displays, evidence, floor, shelf
from service.shelves.displays import By
from service.tenants.tokens import Caller

StoreRequest = Request[Caller, Any, Any]
Context = NamedDependency[Shelfcast]
Display = FromPath[str]
_SORTED_BY_ADDRESS = {"gateway", "address", "sort", "page", "perPage", "cursor", "store", "retired"}


def by(caller: Caller) -> By:
    return By(caller.store, auditing.by(caller), caller.is_chain)


class DisplaysController(Controller):
    middleware = (Authentication,)

    @get("/displays")
    async def list_displays(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests_displays.DisplayListQuery)
        if query.sort == "address" and not set(request.query_params) <= _SORTED_BY_ADDRESS:
            raise ValidationError("These filters list by id; leave sort=address out.", {"sort": "goes with no filter"})
        return answer(await shelf.page(ctx, request.user.store_id, query.asked(), query.window()))

    @post("/displays")
    async def register(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        sent = bodies.decode(await bodies.read(request, ctx.settings.max_body), requests_displays.new_decoder)
        new = displays.New(sent.address, sent.gateway, sent.panel, sent.template)
        made = await displays.register(ctx, by(request.user), new)
        return answer(made, 201, {"Location": f"/api/v1/displays/{made.display_id}"})

    @post("/displays/import")
    async def import_displays(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        rows = await display_rows.read(request, ctx.settings.max_body)
        who = auditing.by(request.user)
        done = await floor.import_displays(ctx, request.user.store, rows.lines, by=who, takeover=rows.takeover)
        refused = sorted(done.refused + rows.refused, key=lambda row: row.line)
        told = [RefusedRow(line=row.line, reason=row.reason) for row in refused]
        return answer(Imported(**msgspec.structs.asdict(done) | {"refused": told}))

    @get("/displays/{display:str}")
    async def one(self, request: StoreRequest, ctx: Context, display: Display) -> Response[bytes]:
        return answer(await displays.one(ctx, request.user.store, display))

    @patch("/displays/{display:str}")
    async def change(self, request: StoreRequest, ctx: Context, display: Display) -> Response[bytes]:
        sent = bodies.decode(await bodies.read(request, ctx.settings.max_body), requests_displays.changed_decoder)
        return answer(
            await displays.change(
                ctx, by(request.user), display, sent.gateway or None, sent.panel or None, sent.template
            )
        )

    @post("/displays/{display:str}/bind")
    async def bind(self, request: StoreRequest, ctx: Context, display: Display) -> Response[bytes]:
        sent = bodies.decode(await bodies.read(request, ctx.settings.max_body), requests_displays.binding_decoder)
        bound = displays.bind(ctx, by(request.user), display, sent.barcode, sent.slot, takeover=sent.takeover)
        return answer(await bound)

    @post("/displays/{display:str}/unbind")
    async def unbind(self, request: StoreRequest, ctx: Context, display: Display) -> Response[bytes]:
        body = await bodies.read_optional(request, ctx.settings.max_body)
        sent = bodies.decode(body or b"{}", requests_displays.unbinding_decoder)
        return answer(await displays.unbind(ctx, by(request.user), display, sent.slot))

    @post("/displays/{display:str}/retire")
    async def retire(self, request: StoreRequest, ctx: Context, display: Display) -> Response[bytes]:
        return answer(await displays.retire(ctx, by(request.user), display))

    @post("/displays/{display:str}/restore")
    async def restore(self, request: StoreRequest, ctx: Context, display: Display) -> Response[bytes]:
        return answer(await displays.restore(ctx, by(request.user), display))

    @post("/displays/{display:str}/swap")
    async def swap(self, request: StoreRequest, ctx: Context, display: Display) -> Response[bytes]:
        sent = bodies.decode(await bodies.read(request, ctx.settings.max_body), requests_displays.swap_decoder)
        return answer(await displays.swap(ctx, by(request.user), display, sent.replacement))

    @post("/displays/{display:str}/resend")
    async def resend(self, request: StoreRequest, ctx: Context, display: Display) -> Response[bytes]:
        return answer(await displays.resend(ctx, by(request.user), display), 202)

    @post("/displays/{display:str}/blink")
    async def blink(self, request: StoreRequest, ctx: Context, display: Display) -> Response[bytes]:
        body = await bodies.read_optional(request, ctx.settings.max_body)
        sent = bodies.decode(body or b"{}", requests_displays.blink_decoder)
        asked = await blinking.ask(ctx, by(request.user), display, sent.seconds)
        return answer(asked, 202, {"Location": f"/api/v1/displays/{asked.display_id}/blinks/{asked.blink_id}"})

    @get("/displays/{display:str}/blinks/{blink:str}")
    async def blink_status(
        self, request: StoreRequest, ctx: Context, display: Display, blink: FromPath[str]
    ) -> Response[bytes]:
        return answer(await blinking.status(ctx, request.user.store, display, blink))


class EvidenceController(Controller):
    middleware = (Authentication,)

    @get("/displays/{display:str}/history")
    async def history(self, request: StoreRequest, ctx: Context, display: Display) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests_displays.HistoryQuery)
        return answer(await display_history.of_display(ctx, request.user.store, display, query.asked(), query.window()))

    @get("/display-events")
    async def events(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests_displays.DisplayEventsQuery)
        return answer(await display_history.events(ctx, request.user.store_id, query.kind, query.window()))

    @get("/displays/{display:str}/at")
    async def at(self, request: StoreRequest, ctx: Context, display: Display) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests_displays.AtQuery)
        when = milliseconds(query.time)
        return answer(await evidence.of_display(ctx, request.user.store, display, when))

    @get("/displays/{display:str}/at.png")
    async def picture_at(self, request: StoreRequest, ctx: Context, display: Display) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests_displays.AtQuery)
        when = milliseconds(query.time)
        return picture(await evidence.picture(ctx, request.user.store, display, when))

    @get("/products/at")
    async def product_at(self, request: StoreRequest, ctx: Context) -> Response[bytes]:
        query = bodies.convert(dict(request.query_params), requests_displays.ProductAtQuery)
        when = milliseconds(query.time)
        return answer(await evidence.of_product(ctx, request.user.store_id, query.barcode, when, query.window()))
