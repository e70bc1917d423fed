"""What becomes of a file and of its rows: products of the feed, or what is wrong with one row or with all of it."""

import enum

import msgspec


class UnreadableError(Exception):
    """The file cannot be read to its end, or not at all; the sentence says how to mend that."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Fault(enum.StrEnum):
    """Why a row of a file never became a row of the feed; beside these, codes of the feed itself."""

    NOT_JSON = "not_json"  # a line of NDJSON that is no JSON object
    REQUIRED = "required"  # no barcode, and nothing else to key it by
    NOT_TEXT = "not_text"  # bytes that are none in the file's encoding
    AMBIGUOUS_NUMBER = "ambiguous_number"  # 1,234 may be one or a thousand, and no number of the file tells which
    NO_FIXED_PRICE = "no_fixed_price"  # the price is asked at the till
    NO_PRICE_OF_ITS_OWN = "no_price_of_its_own"  # a parent whose variants are rows, or a group of other products
    NOT_FOR_SALE = "not_for_sale"  # the file itself says that it is not sold
    REWRITTEN_BARCODE = "rewritten_barcode"  # a spreadsheet made a number of it: 5.90123E+12


class Line(msgspec.Struct, frozen=True):
    """One product of a file, in the feed's own fields.

    `number` is the last line of the file that it comes from; of XML, which products it is, from 1.
    """

    number: int
    product: dict[str, object]


class Refused(msgspec.Struct, frozen=True):
    """A row of a file that cannot be a row of the feed."""

    number: int
    barcode: str | None
    field: str | None
    code: str
    detail: str


class RowError(Exception):
    """Raised while a row is made, caught where its line is known."""

    def __init__(self, field: str | None, code: Fault, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.code = code
        self.detail = detail
