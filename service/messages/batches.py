"""What the API answers about batches beyond their status, and about the guards that hold them."""

from typing import Annotated, Literal

from msgspec import Meta

from service.messages import Message, RejectedRow, SessionId, Status


class Guards(Message, frozen=True, kw_only=True):
    """Limits beyond which a batch of this store is held until somebody releases or cancels it."""

    archive_percent: Annotated[
        float, Meta(description="Most products on sale, in percent, that a full batch may archive. 100: off.")
    ]
    archive_at_least: Annotated[int, Meta(description="So many products may always be archived.")]
    price_percent: Annotated[
        float,
        Meta(
            description="Most products on sale that a batch names, in percent, whose price it may change by more than "
            "`priceChange`. 100: off."
        ),
    ]
    price_change: Annotated[float, Meta(description="Percent of the price that the shopper pays now.")]
    price_at_least: Annotated[int, Meta(description="Fewer products than this may always change their prices.")]


class HeldProduct(Message, frozen=True, kw_only=True):
    """One product that a guard objects to, with the price the shopper pays; `after` null: taken off sale."""

    barcode: str
    name: str
    before: str | None
    after: str | None


class Hold(Message, frozen=True, kw_only=True):
    """Why a batch is held, or was until somebody released or cancelled it."""

    guard: Literal["archive", "price"]
    reason: str
    affected: Annotated[int, Meta(description="Products that it would take off sale, or change the price of.")]
    of: Annotated[int, Meta(description="Products that these are counted among.")]
    examples: Annotated[list[HeldProduct], Meta(description="Up to 20 of them.")]


class Refusals(Message, frozen=True, kw_only=True):
    """How many rows were refused with one code, and the first of them."""

    code: str
    rows: int
    example: RejectedRow


class BatchEntry(Status, frozen=True, kw_only=True):
    """One batch in the list of all."""

    guard: Annotated[Literal["archive", "price"] | None, Meta(description="Which guard holds it, or held it.")]
    released_by: str | None
    cancelled_by: str | None


class Batch(BatchEntry, frozen=True, kw_only=True):
    """One batch, with what was refused of it and what holds it."""

    refusals: Annotated[list[Refusals], Meta(description="By code, the most frequent first; /errors has every row.")]
    hold: Hold | None


class Retried(Message, frozen=True, kw_only=True):
    """What became of the displays of a batch that are not confirmed."""

    session_id: SessionId
    displays: Annotated[int, Meta(description="Displays of the batch that are pending or failed.")]
    retried: Annotated[int, Meta(description="Of these, set going again at once.")]
    under_way: Annotated[int, Meta(description="Of these, on their way already, and left alone.")]
