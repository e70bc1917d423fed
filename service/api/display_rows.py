"""Displays to be imported, as JSON or as CSV: rows for `service.shelves.floor`, and what cannot be read of them."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import msgspec

from service.api import bodies
from service.api.bodies import AnyRequest
from service.api.requests.displays import MOST_ROWS, import_decoder
from service.errors import TooLargeError, ValidationError
from service.shelves.binding import Refused
from service.shelves.floor import Line

CSV = "text/csv"
_NEEDED = ("address", "gateway", "panel")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Rows(msgspec.Struct, frozen=True):
    lines: list[Line]
    refused: list[Refused]
    takeover: bool


async def read(request: AnyRequest, limit: int) -> Rows:
    """At most MOST_ROWS of them; ValidationError for a body that is neither."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == CSV:
        text = await bodies.read_text(request, limit)
        lines = list(_csv(text))
        rows = Rows(lines, [], request.query_params.get("takeover") == "true")
    else:
        asked = bodies.decode(await bodies.read(request, limit), import_decoder)
        rows = _json(asked.displays[: MOST_ROWS + 1], takeover=asked.takeover)
    if len(rows.lines) + len(rows.refused) > MOST_ROWS:
        raise TooLargeError(f"At most {MOST_ROWS:,} displays in one request; send the rest in another one.")
    return rows


def _json(displays: list[msgspec.Raw], *, takeover: bool) -> Rows:
    lines: list[Line] = []
    refused: list[Refused] = []
    for number, raw in enumerate(displays, 1):
        try:
            values = {name: value for name, value in _decode(raw).items() if value is not None}
        except msgspec.MsgspecError:
            refused.append(Refused(number, "The row is no object with the columns of a display."))
            continue
        wrong = [name for name, value in values.items() if not isinstance(value, str | int) or value is True]
        if wrong:
            refused.append(Refused(number, f"{', '.join(wrong)[:100]} of this row is no text."))
        else:
            lines.append((number, {name: str(value) for name, value in values.items()}))
    return Rows(lines, refused, takeover)


def _csv(text: str) -> Iterator[Line]:
    """With a comma or a semicolon between columns, as its header has it."""
    header = text.partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="", restval="")
    reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
    if absent := [name for name in _NEEDED if name not in reader.fieldnames]:
        raise ValidationError(f"The file has no column {', '.join(absent)}.", {"body": "lacks a column"})
    try:
        for row in reader:
            row.pop("", None)  # more values than columns
            yield reader.line_num, row
    except csv.Error as error:
        detail = f"Line {reader.line_num} is not CSV: {error}."
        raise ValidationError(detail, {"body": "is not CSV"}) from None
