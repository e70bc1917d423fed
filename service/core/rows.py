"""Feed rows: from the bytes of each product in a push to a normalised Row, or to every reason why not.

Each row is decoded by itself, so that one bad row never fails its neighbours. A row about which there is nothing to say
is read with its like, column by column (`columns`); every other one by the parser of one row, which alone explains.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from service.core import columns
from service.core.barcodes import MAX_BARCODE, has_wrong_check_digit, parse_barcode
from service.core.fields import FIELDS, Notes
from service.core.money import Number
from service.core.problems import Code, RefusedError, printable
from service.core.product import Problem, Row, StoreFacts
from service.core.row_rules import NOT_STATED, REQUIRE, Finding, Kind, check_price, refuse

RULES = 1
"""Grows whenever a row comes to mean something else than before: rows of last night are then read anew."""
MAX_ROW = 64 * 1024
"""Bytes of one row; every field at its limit fits, and no row costs more than its share."""
MAX_PROBLEMS = 20
"""Errors, and warnings, that are told of one row."""
MAX_FIELD_NAME = 64

_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Number).decode
_decode_all = msgspec.json.Decoder(list[dict[str, Any] | None], float_hook=Number).decode
_decode_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_value = msgspec.json.Decoder().decode


class Parsed(msgspec.Struct):
    """What became of the rows of one push, each list in the order received: rows and refused rows make the received."""

    rows: list[Row] = []
    errors: list[Problem] = []
    warnings: list[Problem] = []


class Checked(msgspec.Struct):
    """What `parse_rows` would find; of the accepted rows only (index, barcode), each list in the order received."""

    accepted: list[tuple[int, str]] = []
    errors: list[Problem] = []
    warnings: list[Problem] = []


def parse_rows(raws: Sequence[msgspec.Raw | None], kind: Kind, store: StoreFacts) -> Parsed:
    """Every row of a push. Never raises for what a row holds; a refused row has at least one error; None is no row."""
    parsed = Parsed()
    for index, row in enumerate(columns.usual(_plain_rows(raws), kind, store)):
        if row is not None:
            parsed.rows.append(row)
        elif (raw := raws[index]) is not None:
            parse_row(index, raw, kind, store, parsed)
    return parsed


def check_rows(raws: Sequence[msgspec.Raw], kind: Kind, store: StoreFacts) -> Checked:
    """Whether every row can be taken, for less than it costs to keep what is in them."""
    checked = Checked()
    for index, barcode in enumerate(columns.usual_barcodes(_plain_rows(raws), kind, store)):
        if barcode is not None:
            checked.accepted.append((index, barcode))
            continue
        alone = Parsed()
        parse_row(index, raws[index], kind, store, alone)
        checked.accepted += [(row.index, row.barcode) for row in alone.rows]
        checked.errors += alone.errors
        checked.warnings += alone.warnings
    return checked


def parse_row(index: int, raw: msgspec.Raw, kind: Kind, store: StoreFacts, parsed: Parsed) -> None:
    """One row, whatever is in it, noted in `parsed`."""
    errors: list[Finding] = []
    warnings: list[Finding] = []
    sent = _decoded(raw, errors)
    if sent is None:
        parsed.errors += _problems(index, None, errors)
        return
    barcode = _barcode(sent, errors, warnings)
    fields = _fields(sent, kind, store, errors, warnings)
    check_price(fields, errors, warnings)
    if errors:
        parsed.errors += _problems(index, sent.get("barcode"), errors)
    else:
        parsed.rows.append(Row(index, barcode, fields))
    if warnings:
        parsed.warnings += _problems(index, sent.get("barcode"), warnings)


def _plain_rows(raws: Sequence[msgspec.Raw | None]) -> list[dict[str, Any] | None]:
    """The fields of each row; None for whatever has to be explained. All at once, unless there is such a one."""
    texts = [b"null" if raw is None else raw for raw in raws]
    if all(memoryview(text).nbytes <= MAX_ROW for text in texts):
        with suppress(ValueError, RecursionError):
            sent = _decode_all(b"[" + b",".join(texts) + b"]")
            if len(sent) == len(texts):  # always, of texts that are JSON
                return sent
    return [_plain(raw) for raw in raws]


def _plain(raw: msgspec.Raw | None) -> dict[str, Any] | None:
    if raw is None or memoryview(raw).nbytes > MAX_ROW:
        return None
    try:
        return _decode(raw)
    except (ValueError, RecursionError):
        return None


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
        refuse("barcode", refused.code, refused.detail, errors)
        return ""
    if has_wrong_check_digit(barcode):
        warnings.append(("barcode", Code.CHECK_DIGIT, f"The last digit of {barcode} does not fit the others."))
    return barcode


def _fields(
    sent: dict[str, Any], kind: Kind, store: StoreFacts, errors: list[Finding], warnings: list[Finding]
) -> dict[str, Any]:
    fields: dict[str, Any] = NOT_STATED.copy() if kind == "whole" else {}
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
    REQUIRE[kind](fields, errors)
    return fields


def _warn_unknown(name: str, warnings: list[Finding]) -> None:
    shown = printable(name, MAX_FIELD_NAME)
    warnings.append((shown, Code.UNKNOWN_FIELD, "No product has this field; it was kept out. See attributes."))
