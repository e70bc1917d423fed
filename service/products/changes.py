"""Rows of what became of products besides their prices; written in the transaction of the change."""

from typing import TYPE_CHECKING, Any

import msgspec

from service.core.differences import Differences
from service.ids import new_id

if TYPE_CHECKING:
    from service.saving import Source

_encode = msgspec.json.Encoder().encode


def change_row(
    store_id: int,
    barcode: str,
    differences: Differences,
    source: "Source",
    index: int | None = None,
) -> dict[str, Any]:
    """What is different of this product, and on whose word."""
    return {
        "store_id": store_id,
        "id": new_id(),
        "barcode": barcode,
        "at": source.now,
        "cause": source.cause,
        "cause_id": source.cause_id,
        "push": source.push,
        "row": index,
        "token_id": source.token_id,
        "fields": _encode(differences).decode(),
        "reason": source.reason,
    }
