"""What the feed API takes: bodies, headers and query parameters. Members that these do not name are ignored."""

import re
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from service.errors import ValidationError
from service.feed import MAX_PRODUCTS
from service.messages import TagState, Window

MAX_SEQUENCE = 2**53 - 1
"""The largest integer that every JSON program can hold."""

_VISIBLE = re.compile(r"[!-~]{1,255}")

Products = list[msgspec.Raw]


class ProductList(msgspec.Struct):
    """The body of `/add` and `/productUpdate`, where it is not the bare list."""

    products: Products


class Start(msgspec.Struct, rename="camel"):
    """The body of `/batch/start`, which may be left out."""

    reference: (
        Annotated[
            str,
            Meta(
                max_length=200,
                pattern=r"^(?![\s\S]*[\u0000-\u001f\u007f])",
                description="The caller's own name for this batch, without control characters; its status has it.",
                examples=["nightly-2026-11-22"],
            ),
        ]
        | None
    ) = None
    mode: Annotated[
        Literal["merge", "full"],
        Meta(description="full: what the batch does not name is archived at the end, under the store's guard."),
    ] = "merge"
    expected_products: (
        Annotated[int, Meta(ge=0, le=2**31 - 1, description="With fewer rows than this, `/batch/complete` is refused.")]
        | None
    ) = None


class Push(msgspec.Struct, rename="camel"):
    """The body of `/batch/push`."""

    session_id: Annotated[str, Meta(description="As `/batch/start` answered it.")]
    products: Annotated[
        Products,
        Meta(
            description="Each is read by itself: one that is refused never fails its neighbours.",
            extra_json_schema={"items": {"$ref": "#/components/schemas/NewProduct"}, "maxItems": MAX_PRODUCTS},
        ),
    ]
    sequence: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=MAX_SEQUENCE,
                description="Orders the pushes of a session; without an Idempotency-Key it makes them safe to repeat.",
            ),
        ]
        | None
    ) = None


class Complete(msgspec.Struct, rename="camel"):
    """The body of `/batch/complete`."""

    session_id: Annotated[str, Meta(description="As `/batch/start` answered it.")]


class ListQuery(msgspec.Struct, rename="camel"):
    """Which part of a list."""

    page: Annotated[int, Meta(ge=1, le=10**6, description="From 1; ignored where a cursor is given.")] = 1
    per_page: Annotated[int, Meta(ge=1, le=1000, description="Entries of one page.")] = 100
    cursor: Annotated[str, Meta(pattern="^[!-~]{1,512}$", description="`meta.next` of the page before.")] | None = None

    def window(self) -> Window:
        return Window(self.page, self.per_page, self.cursor)


class DisplaysQuery(ListQuery):
    """Which displays of a batch."""

    state: Annotated[TagState, Meta(description="Only displays in this state.")] | None = None


class PreviewQuery(msgspec.Struct):
    """How a product's label is to be drawn."""

    panel: Annotated[
        str,
        Meta(
            max_length=40,
            description="Width x height - inks, as the shopper sees the display.",
            examples=["296x128-BWR", "400x300-BW"],
        ),
    ] = "296x128-BWR"
    template: (
        Annotated[str, Meta(max_length=64, description="Another template than the store chose for such a display.")]
        | None
    ) = None


class NamedPreviewQuery(PreviewQuery, kw_only=True):
    """The same, with a barcode that may hold a slash."""

    barcode: Annotated[str, Meta(min_length=1, max_length=64, description="The product's.", examples=["3850123456782"])]


class DisplayPreviewQuery(msgspec.Struct):
    """Which face of a display."""

    face: Annotated[
        Literal["desired", "shown"],
        Meta(description="What it should show, or what it was last proven to show."),
    ] = "desired"


def milliseconds(at: datetime | None) -> int | None:
    """Since the epoch, UTC; nothing here is older."""
    return None if at is None else max(0, int(at.timestamp() * 1000))


products_decoder: msgspec.json.Decoder[ProductList | Products] = msgspec.json.Decoder(ProductList | Products)
start_decoder = msgspec.json.Decoder(Start)
push_decoder = msgspec.json.Decoder(Push)
complete_decoder = msgspec.json.Decoder(Complete)


def products_of(body: ProductList | Products) -> Products:
    return body if isinstance(body, list) else body.products


def idempotency_key(sent: str | None) -> str | None:
    """The Idempotency-Key header, if there is one; ValidationError if no key can be that."""
    if sent is None or _VISIBLE.fullmatch(sent):
        return sent
    reason = "is not 1 to 255 visible ASCII characters"
    raise ValidationError(f"The Idempotency-Key {reason}.", {"Idempotency-Key": reason})
