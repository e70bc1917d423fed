"""What the operations of products take: query parameters and bodies."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from service.api.requests import ListQuery
from service.core import fields, moments, searching
from service.core.money import Number
from service.core.problems import RefusedError
from service.errors import ValidationError
from service.messages.products import BY_BARCODE
from service.products.catalogue import Named
from service.products.editing import StockChange
from service.store.catalogue import Sort, Wanted

MAX_SEARCH = 100
MAX_REASON = 500
_LINE = r"^(?![\s\S]*[\u0000-\u001f\u007f])"
"""Without control characters."""

Barcode = Annotated[
    str, Meta(pattern="^[!-~]{1,64}$", description="The product's, which may hold a slash.", examples=["3850123456782"])
]
Reason = Annotated[str, Meta(max_length=MAX_REASON, pattern=_LINE, description="Why; kept with the change.")]


class ProductQuery(msgspec.Struct):
    """Which product, where the path does not say."""

    barcode: Annotated[Barcode, Meta(description=f"The product's, where the path says `{BY_BARCODE}`.")] | None = None

    def named(self, which: str) -> Named:
        return Named(which, self.barcode)


class WhichQuery(msgspec.Struct):
    """Which products of the store."""

    category: (
        Annotated[str, Meta(min_length=1, max_length=fields.MAX_LABEL, pattern=_LINE, description="Exactly this one.")]
        | None
    ) = None
    archived: Annotated[bool, Meta(description="true: those that are off sale.")] | None = None

    def wanted(self) -> Wanted:
        return Wanted(archived=bool(self.archived), category=self.category)


class ProductsQuery(ListQuery, kw_only=True):
    """Which products, and in which order."""

    search: (
        Annotated[
            str,
            Meta(
                max_length=MAX_SEARCH,
                pattern=_LINE,
                description=(
                    "Words, all of which are in the name, barcode, sku or brand; in any case. Of long names the first "
                    f"{searching.MAX_NAME} characters are searched."
                ),
                examples=["milk 1 l"],
            ),
        ]
        | None
    ) = None
    category: (
        Annotated[str, Meta(min_length=1, max_length=fields.MAX_LABEL, pattern=_LINE, description="Exactly this one.")]
        | None
    ) = None
    archived: (
        Annotated[bool, Meta(description="true: those that are off sale; else those on sale. With `barcode`: either.")]
        | None
    ) = None
    barcode: Annotated[Barcode, Meta(description="Exactly this one: a list of one or none.")] | None = None
    sort: Annotated[Sort, Meta(description="Backwards with a minus. Names are sorted without regard to case.")] = "name"
    # Longer than other cursors: it holds the text that the list is sorted by.
    cursor: Annotated[str, Meta(pattern="^[!-~]{1,2048}$", description="`meta.next` of the page before.")] | None = None

    def wanted(self) -> Wanted:
        return Wanted(bool(self.archived), self.category, tuple(searching.needles(self.search or "")))


class PricesQuery(ListQuery, kw_only=True):
    """From when on, and where to go on."""

    since: (
        Annotated[
            str,
            Meta(
                max_length=moments.MAX_TEXT,
                description="A date or time, in the store's time zone without an offset. Default: the beginning.",
                examples=["2026-11-22", "2026-11-22T06:30:00Z"],
            ),
        ]
        | None
    ) = None

    def moment(self, timezone: str) -> int:
        try:
            return 0 if self.since is None else moments.parse_moment(self.since, timezone)
        except RefusedError as error:
            raise ValidationError(f"since: {error.detail}", {"since": error.detail}) from None


class PartsQuery(ListQuery, kw_only=True):
    """Which product, and which part of the list of what it has."""

    barcode: Annotated[Barcode, Meta(description=f"The product's, where the path says `{BY_BARCODE}`.")] | None = None

    def named(self, which: str) -> Named:
        return Named(which, self.barcode)


class ProductDisplaysQuery(PartsQuery, kw_only=True):
    """Which displays of a product."""

    all: Annotated[bool, Meta(description="true: also where it was shown.")] = False


class Because(msgspec.Struct):
    """The body of archive and restore, which may be left out."""

    reason: Reason | None = None


class StockBody(msgspec.Struct):
    """The body of a change of stock: `adjust` or `set`."""

    adjust: Any = msgspec.UNSET
    set: Any = msgspec.UNSET
    reason: Reason | None = None

    def change(self, key: str | None, body_hash: str) -> StockChange:
        """Raises ValidationError unless it is one of the two."""
        sent = [value for value in (self.adjust, self.set) if value is not msgspec.UNSET]
        if len(sent) != 1:
            detail = "Say either by how much the stock changes (adjust), or what it is (set)."
            raise ValidationError(detail, {"adjust": "give it, or set, not both"})
        return StockChange(self.adjust is not msgspec.UNSET, sent[0], self.reason, key, body_hash)


create_decoder = msgspec.json.Decoder(msgspec.Raw)
patch_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
because_decoder = msgspec.json.Decoder(Because)
stock_decoder = msgspec.json.Decoder(StockBody, float_hook=Number)
