"""The words for what can be wrong with a feed row, and how a parser refuses a value."""

import enum

SHOWN_VALUE = 40
"""Characters of a refused value that are repeated in its sentence."""


class Code(enum.StrEnum):
    """Machine-readable reasons; stable, since integrators' programs branch on them."""

    # Errors: the row is refused.
    NOT_JSON = "not_json"  # cannot be decoded: broken UTF-8, an unpaired surrogate, nesting beyond reason
    WRONG_TYPE = "wrong_type"  # another JSON type than the field has
    REQUIRED = "required"  # missing, null or blank
    TOO_LONG = "too_long"  # more characters, entries or bytes than the field has room for
    TOO_DEEP = "too_deep"  # attributes nested deeper than allowed
    TOO_LARGE = "too_large"  # a number above the field's highest
    NEGATIVE = "negative"  # a number below zero where none can be
    NOT_A_PRICE = "not_a_price"  # not digits with at most one decimal point
    NOT_A_NUMBER = "not_a_number"  # the same for a quantity
    NOT_A_TIME = "not_a_time"  # not an ISO 8601 date, or date and time, from 1970 to 2200
    TOO_MANY_DECIMALS = "too_many_decimals"  # more than can be stored exactly
    FOREIGN_CURRENCY = "foreign_currency"  # another currency than the store's
    CONTROL_CHARACTERS = "control_characters"  # in a barcode, where nothing is removed silently
    NOT_ASCII = "not_ascii"  # blanks or letters beyond ASCII in a barcode
    ENDS_BEFORE_START = "ends_before_start"  # saleEnd is not after saleStart
    UNKNOWN_PRODUCT = "unknown_product"  # a change to a product that the store does not have

    # Neither: a later row of the same request has the same barcode and counts instead.
    DUPLICATE = "duplicate"

    # An error for a sale price, a warning for every other price.
    ZERO_PRICE = "zero_price"

    # Warnings: the row is taken, but not quite as it was sent.
    UNKNOWN_FIELD = "unknown_field"  # kept out
    CHECK_DIGIT = "check_digit"  # the length of a GTIN, and a check digit that does not fit
    SALE_NOT_LOWER = "sale_not_lower"  # the sale price is not below the price: no sale is shown
    SALE_PRICE_MISSING = "sale_price_missing"  # onSale without a sale price: no sale is shown
    ROUNDED_ON_THE_SHELF = "rounded_on_the_shelf"  # stored exactly, shown with the currency's digits
    ZERO_QUANTITY = "zero_quantity"  # kept out
    TEXT_CLEANED = "text_cleaned"  # control characters were removed


class RefusedError(Exception):
    """A value that a field cannot take; caught where the field's name is known."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def printable(text: str, limit: int = SHOWN_VALUE) -> str:
    """The start of foreign text, safe to store and to print: whatever has no shape becomes U+FFFD."""
    start = text[:limit]
    return start if start.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in start)


def quoted(text: str) -> str:
    return f'"{printable(text)}{"…" if len(text) > SHOWN_VALUE else ""}"'


def json_type(value: object) -> str:
    """What a decoded JSON value is called, for a sentence."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int():
            return "a number"
        case str():
            return "text" if type(value) is str else "a number"
        case list():
            return "a list"
        case _:
            return "an object"


def wrong_type(wanted: str, value: object) -> RefusedError:
    return RefusedError(Code.WRONG_TYPE, f"Send {wanted}, not {json_type(value)}.")
