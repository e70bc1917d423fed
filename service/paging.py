"""Lists in pages: numbers for people, and a cursor that stays right while rows come and go."""

import base64
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import msgspec

from service.errors import ValidationError
from service.messages import Page, PageMeta, Window

T = TypeVar("T")

# What a cursor may hold is bounded: it comes back from outside, and goes into a statement.
Place = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Text = Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[^\u0000-\u001f]*$")]
Moment = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Id = Annotated[str, msgspec.Meta(pattern="^[0-9A-Z]{26}$")]


def decode(cursor: str | None, form: Any) -> Any:
    """The key after which a page begins; raises ValidationError for anything we did not hand out."""
    if cursor is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode()), type=form)
    except ValueError:
        raise ValidationError(
            "The cursor is not one that was answered as meta.next.", {"cursor": "is malformed"}
        ) from None


def encode(key: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode()


DEEPEST = 100_000
"""Rows that page numbers reach; every page before has to be read to get there, which a cursor saves."""


def shallow(window: Window) -> int:
    """The same of a list that may be long; raises ValidationError for a page that only a cursor gets to."""
    if window.page * window.per_page > DEEPEST and window.cursor is None:
        detail = f"Page numbers end at {DEEPEST:,} rows; go on with meta.next as the cursor."
        raise ValidationError(detail, {"page": f"reaches beyond {DEEPEST:,} rows"})
    return offset(window)


def offset(window: Window) -> int:
    """Rows before the page."""
    return 0 if window.cursor is not None else (window.page - 1) * window.per_page


def page(window: Window, rows: Sequence[T], more: object | None, total: int | None) -> Page[T]:
    """`more`: the key of the last row, if there are rows after it."""
    following = encode(more) if more is not None else None
    return Page(
        data=list(rows),
        meta=PageMeta(page=window.page, per_page=window.per_page, count=len(rows), total=total, next=following),
    )
