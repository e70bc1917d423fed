"""What the API takes about displays: bodies and query parameters."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from service.api.requests import ListQuery, milliseconds
from service.messages.displays import EventKind, HistoryKind
from service.shelves.binding import MAX_SLOT
from service.shelves.blinking import MOST_SECONDS
from service.shelves.display_history import Asked as HistoryAsked
from service.shelves.shelf import Asked
from service.store.shelf_lists import Wanted

Time = Annotated[
    datetime,
    Meta(tz=True, description="RFC 3339, with an offset or Z.", examples=["2026-11-22T06:30:00Z"]),
]
_NAME = r"^[^\u0000-\u001f\u007f]{1,100}$"
Barcode = Annotated[str, Meta(pattern="^[!-~]{1,64}$", description="The product's.", examples=["3850123456782"])]
Gateway = Annotated[str, Meta(pattern=_NAME, description="Name or id of a gateway.", examples=["ap-1"])]
Panel = Annotated[
    str, Meta(max_length=40, description="Width x height - inks, as the shopper sees it.", examples=["296x128-BWR"])
]
Template = Annotated[str, Meta(pattern=r"^[^\u0000-\u001f\u007f]{1,64}$", description="Its own template.")]
Slot = Annotated[int, Meta(ge=0, le=MAX_SLOT, description="Of its template.")]
Name = Annotated[str, Meta(pattern=_NAME, description="Address or id of a display.", examples=["SIM000002"])]


class DisplayListQuery(ListQuery, kw_only=True):
    """Which displays, and in which order. What is true of several is asked together."""

    sort: Annotated[
        Literal["id", "address"],
        Meta(description="By address: only with `gateway` and `address`, or without a filter."),
    ] = "id"
    wrong: Annotated[bool, Meta(description="Not proven to show what they should.")] = False
    unconfirmed: Annotated[bool, Meta(description="Something was sent and is not proven yet.")] = False
    low_battery: Annotated[bool, Meta(description="Battery below 20 %.")] = False
    offline: Annotated[bool, Meta(description="Their gateway does not answer.")] = False
    unbound: Annotated[bool, Meta(description="No product is bound to them.")] = False
    retired: Annotated[bool, Meta(description="Those out of use, which are not listed otherwise.")] = False
    gateway: Gateway | None = None
    barcode: Barcode | None = None
    address: Annotated[str, Meta(pattern=_NAME, description="This very address.")] | None = None

    def asked(self) -> Asked:
        wanted = Wanted(
            wrong=self.wrong,
            unconfirmed=self.unconfirmed,
            low_battery=self.low_battery,
            unbound=self.unbound,
            retired=self.retired,
            barcode=self.barcode,
            address=self.address,
            by_address=self.sort == "address",
        )
        return Asked(wanted, self.gateway, self.offline)


class AtQuery(msgspec.Struct):
    """When."""

    time: Time | None = None


class ProductAtQuery(ListQuery, kw_only=True):
    """Which product, and when."""

    barcode: Barcode
    time: Time | None = None


class HistoryQuery(ListQuery, kw_only=True):
    """Which part of a display's history."""

    kind: Annotated[HistoryKind, Meta(description="Only entries of this kind.")] | None = None
    since: Annotated[Time, Meta(description="From this time on.")] | None = msgspec.field(name="from", default=None)
    until: Annotated[Time, Meta(description="Before this time.")] | None = msgspec.field(name="to", default=None)

    def asked(self) -> HistoryAsked:
        return HistoryAsked(self.kind, milliseconds(self.since), milliseconds(self.until))


class DisplayEventsQuery(ListQuery, kw_only=True):
    """Which events of displays."""

    kind: Annotated[EventKind, Meta(description="Only events of this kind.")] | None = None


class NewDisplay(msgspec.Struct):
    """A display to be registered."""

    address: Annotated[str, Meta(pattern=_NAME, description="As its hardware writes it.", examples=["SIM000001"])]
    gateway: Gateway
    panel: Panel
    template: Template | None = None


class ChangedDisplay(msgspec.Struct):
    """What changes of a display; absent members stay."""

    gateway: Gateway | msgspec.UnsetType = msgspec.UNSET
    panel: Panel | msgspec.UnsetType = msgspec.UNSET
    template: Annotated[Template | None, Meta(description="null: as the store chooses.")] | msgspec.UnsetType = (
        msgspec.UNSET
    )


class Binding(msgspec.Struct):
    """A product for a slot; takeover: end what is bound there."""

    barcode: Barcode
    slot: Slot = 0
    takeover: bool = False


class Unbinding(msgspec.Struct):
    """Which slot; all of them, if none is named."""

    slot: Slot | None = None


class Swap(msgspec.Struct):
    """Which display takes the other's place: registered, and with nothing bound to it."""

    replacement: Name


class BlinkBody(msgspec.Struct):
    """For how long."""

    seconds: Annotated[int, Meta(ge=1, le=MOST_SECONDS)] = 10


ROW_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["address", "gateway", "panel"],
    "properties": {
        "address": {"type": "string", "maxLength": 100},
        "gateway": {"type": "string", "maxLength": 100},
        "panel": {"type": "string", "maxLength": 40},
        "template": {"type": ["string", "null"], "maxLength": 64},
        "barcode": {"type": ["string", "null"], "maxLength": 64},
        "slot": {"type": ["integer", "null"], "minimum": 0, "maximum": MAX_SLOT},
    },
}
MOST_ROWS = 10_000


class DisplayImport(msgspec.Struct):
    """Displays to be made, or changed where they are registered; takeover: end what is bound where a row binds."""

    displays: Annotated[
        list[msgspec.Raw],
        Meta(
            description="Each is read by itself: one that is refused never fails its neighbours.",
            extra_json_schema={"items": ROW_SCHEMA, "maxItems": MOST_ROWS},
        ),
    ]
    takeover: bool = False


new_decoder = msgspec.json.Decoder(NewDisplay)
changed_decoder = msgspec.json.Decoder(ChangedDisplay)
binding_decoder = msgspec.json.Decoder(Binding)
unbinding_decoder = msgspec.json.Decoder(Unbinding)
swap_decoder = msgspec.json.Decoder(Swap)
blink_decoder = msgspec.json.Decoder(BlinkBody)
import_decoder = msgspec.json.Decoder(DisplayImport)
