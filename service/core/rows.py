"""Feed rows: from the bytes of each product in a push to a normalised Row, or to every reason why not.

Each row is decoded by itself, so that one bad row never fails its neighbours, and by one path: the parser that
refuses a value is the one that explains it.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from service.core.barcodes import MAX_BARCODE, has_wrong_check_digit, parse_barcode
from service.core.fields import FIELDS, Notes
from service.core.money import Number
from service.core.problems import Code, RefusedError, printable
from service.core.product import WHOLE_PRICE, Problem, Row, StoreFacts

Kind = Literal["whole", "patch"]
"""`whole`: a row of `/add` and `/batch/push`, which states the whole price. `patch`: a row of `/productUpdate`."""

MAX_ROW = 64 * 1024
"""Bytes of one row; every field at its limit fits, and no row costs more than its share."""
MAX_PROBLEMS = 20
"""Errors, and warnings, that are told of one row."""
MAX_FIELD_NAME = 64

_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Number).decode
_decode_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_value = msgspec.json.Decoder().decode
_NOT_STATED = dict.fromkeys(WHOLE_PRICE)

Finding = tuple[str | None, Code, str]
"""(field in the API's spelling, code, sentence)"""


class Parsed(msgspec.Struct):
    """What became of the rows of one push, each list in the order received: rows and refused rows make the received."""

    rows: list[Row] = []
    errors: list[Problem] = []
    warnings: list[Problem] = []


def parse_rows(raws: Sequence[msgspec.Raw], kind: Kind, store: StoreFacts) -> Parsed:
    """Every row of a push. Never raises for what a row holds; a refused row has at least one error."""
    parsed = Parsed()
    for index, raw in enumerate(raws):
        errors: list[Finding] = []
        warnings: list[Finding] = []
        sent = _decoded(raw, errors)
        if sent is None:
            parsed.errors += _problems(index, None, errors)
            continue
        barcode = _barcode(sent, errors, warnings)
        fields = _fields(sent, kind, store, errors, warnings)
        _check_price(fields, errors, warnings)
        if errors:
            parsed.errors += _problems(index, sent.get("barcode"), errors)
        else:
            parsed.rows.append(Row(index, barcode, fields))
        if warnings:
            parsed.warnings += _problems(index, sent.get("barcode"), warnings)
    return parsed


def _problems(index: int, barcode: object, findings: list[Finding]) -> list[Problem]:
    named = printable(barcode, MAX_BARCODE) if type(barcode) is str else None
    return [Problem(index, named, field, code.value, detail) for field, code, detail in findings[:MAX_PROBLEMS]]


def _decoded(raw: msgspec.Raw, errors: list[Finding]) -> dict[str, Any] | None:
    """The row's fields as far as they can be decoded; None if it is no JSON object at all."""
    size = memoryview(raw).nbytes
    if size > MAX_ROW:
        errors.append((None, Code.TOO_LONG, f"A product has at most {MAX_ROW} bytes of JSON; this has {size}."))
        return None
    try:
        return _decode(raw)
    except msgspec.ValidationError:
        errors.append((None, Code.WRONG_TYPE, "A product is a JSON object with at least a barcode."))
    except (ValueError, RecursionError):
        return _decoded_by_field(raw, errors)
    return None


def _decoded_by_field(raw: msgspec.Raw, errors: list[Finding]) -> dict[str, Any] | None:
    sent: dict[str, Any] = {}
    try:
        parts = _decode_parts(raw)
    except (ValueError, RecursionError):
        errors.append((None, Code.NOT_JSON, "This product is not valid JSON in UTF-8, or is nested beyond reason."))
        return None
    for name, part in parts.items():
        try:
            sent[name] = _decode_value(part)
        except (ValueError, RecursionError):
            detail = "This is not valid JSON in UTF-8, or is nested beyond reason."
            errors.append((printable(name, MAX_FIELD_NAME), Code.NOT_JSON, detail))
    return sent


def _barcode(sent: dict[str, Any], errors: list[Finding], warnings: list[Finding]) -> str:
    try:
        barcode = parse_barcode(sent.get("barcode"))
    except RefusedError as refused:
        _refuse("barcode", refused.code, refused.detail, errors)
        return ""
    if has_wrong_check_digit(barcode):
        warnings.append(("barcode", Code.CHECK_DIGIT, f"The last digit of {barcode} does not fit the others."))
    return barcode


def _fields(
    sent: dict[str, Any], kind: Kind, store: StoreFacts, errors: list[Finding], warnings: list[Finding]
) -> dict[str, Any]:
    fields: dict[str, Any] = _NOT_STATED.copy() if kind == "whole" else {}
    notes: Notes = []
    for name, value in sent.items():
        known = FIELDS.get(name)
        if known is None:
            if name != "barcode":
                _warn_unknown(name, warnings)
            continue
        field, parse = known
        try:
            fields[field] = None if value is None else parse(value, store, notes)
        except RefusedError as refused:
            errors.append((name, refused.code, refused.detail))
        if notes:
            warnings += [(name, code, detail) for code, detail in notes]
            notes.clear()
    fields.pop("currency", None)  # was checked to be the store's
    _REQUIRE[kind](fields, errors)
    return fields


def _warn_unknown(name: str, warnings: list[Finding]) -> None:
    shown = printable(name, MAX_FIELD_NAME)
    warnings.append((shown, Code.UNKNOWN_FIELD, "No product has this field; it was kept out. See attributes."))


def _require_whole(fields: dict[str, Any], errors: list[Finding]) -> None:
    if not fields.get("name"):
        _refuse("name", Code.REQUIRED, "A product needs a name.", errors)
    if fields.get("price") is None:
        fields.pop("price", None)
        if fields.get("sale_price") is None and not any(field == "salePrice" for field, _, _ in errors):
            _refuse("price", Code.REQUIRED, "A product needs a price, or a salePrice alone.", errors)


def _require_patch(fields: dict[str, Any], errors: list[Finding]) -> None:
    if fields.get("name", "absent") is None:
        _refuse("name", Code.REQUIRED, "A name cannot be cleared.", errors)


_REQUIRE = {"whole": _require_whole, "patch": _require_patch}


def _refuse(field: str, code: Code, detail: str, errors: list[Finding]) -> None:
    """One reason a field: what could not be read is not missing as well."""
    if not any(found == field for found, _, _ in errors):
        errors.append((field, code, detail))


def _check_price(fields: dict[str, Any], errors: list[Finding], warnings: list[Finding]) -> None:
    """What the price fields of one row say together."""
    sale, price = fields.get("sale_price"), fields.get("price")
    if sale is not None:
        if price is not None and sale >= price:
            detail = "The sale price is not below the price; the price is shown, without a sale."
            warnings.append(("salePrice", Code.SALE_NOT_LOWER, detail))
    elif fields.get("on_sale") and "sale_price" in fields:
        warnings.append(("onSale", Code.SALE_PRICE_MISSING, "Without a salePrice no sale is shown."))
    start, end = fields.get("sale_start"), fields.get("sale_end")
    if start is not None and end is not None and end <= start:
        errors.append(("saleEnd", Code.ENDS_BEFORE_START, "The sale ends before it starts."))
