"""From text to rows of cells: CSV with its dialect found, NDJSON, and XML, none of which can fill the memory."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from service.importing.decoding import BROKEN
from service.importing.formats import likeness
from service.importing.outcomes import UnreadableError

Numbered = tuple[int, list[str]]
"""(Last line of the row in the file, its cells)"""

MAX_LINE = 4 * 1024 * 1024
"""Characters of one line; of a line of NDJSON, a row that is longer is refused and its neighbours go on."""
MAX_FIELD = 1024 * 1024
MAX_COLUMNS = 2000
DELIMITERS = ",;\t|"
_SAMPLE_LINES = 50
_SAMPLE = 1024 * 1024
_END = re.compile(r"\r\n|\r|\n")
_STATED = re.compile(r"sep=(.)\s*", re.IGNORECASE)

csv.field_size_limit(MAX_FIELD)


def lines(pieces: Iterable[str]) -> Iterator[str | None]:
    """Lines with their ends, of any kind; None for one that is too long, as soon as it is; its rest is skipped."""
    rest, skipping = "", False
    for piece in pieces:
        text, begun = rest + piece, 0
        for end in _END.finditer(text, max(0, len(rest) - 1)):
            if end.end() == len(text) and end[0] == "\r":
                break  # a line feed may come with the next piece
            if not skipping:
                yield text[begun : end.end()] if end.end() - begun <= MAX_LINE else None
            begun, skipping = end.end(), False
        rest = text[begun:]
        if len(rest) > MAX_LINE:
            if not skipping:
                yield None
            rest, skipping = rest[-1:], True
    if rest and not skipping:
        yield rest


class Csv:
    """The rows of a CSV, its first line apart.

    Attributes:
        delimiter: Found, if the caller does not name it.
        header: Names of the columns, trimmed.
    """

    def __init__(self, pieces: Iterable[str], delimiter: str | None = None) -> None:
        found = _required(lines(pieces))
        sample = _sample(found)
        stated = _STATED.fullmatch(sample[0]) if sample else None
        self.delimiter = delimiter or (stated[1] if stated else _delimiter(sample))
        self._ended = False
        self._before = 1 if stated else 0  # Excel's own word for the delimiter, in a line of its own
        self._reader = csv.reader(self._fed(chain(sample[self._before :], found)), delimiter=self.delimiter)
        self.header = self._header()

    def __iter__(self) -> Iterator[Numbered]:
        while (row := self._next()) is not None:
            if row:
                yield self._before + self._reader.line_num, row

    def _header(self) -> list[str]:
        header = next((row for row in iter(self._next, None) if any(map(str.strip, row))), [])
        if len(header) > MAX_COLUMNS:
            raise UnreadableError(f"The file has {len(header)} columns; at most {MAX_COLUMNS} are read.")
        return [name.strip(" \t\u00a0\ufeff").replace(BROKEN, "\ufffd") for name in header]

    def _next(self) -> list[str] | None:
        begins = self._before + self._reader.line_num + 1
        try:
            row = next(self._reader, None)
        except csv.Error as error:
            raise UnreadableError(
                f"The row that begins in line {begins} is not CSV: {error}. Is a quote never closed there?"
            ) from None
        if row is not None and self._ended:
            raise UnreadableError(f"The quote that is opened in line {begins} or after it is never closed.")
        return row

    def _fed(self, some: Iterable[str]) -> Iterator[str]:
        yield from some
        self._ended = True


def _required(some: Iterable[str | None]) -> Iterator[str]:
    for number, line in enumerate(some, 1):
        if line is None:
            raise UnreadableError(f"Line {number} is longer than {MAX_LINE // 1024**2} MiB; this is no product list.")
        yield line


def _sample(found: Iterator[str]) -> list[str]:
    sample, size = [], 0
    for line in islice(found, _SAMPLE_LINES):
        sample.append(line)
        size += len(line)
        if size > _SAMPLE:
            break
    return sample


def _delimiter(sample: Sequence[str]) -> str:
    """What makes the header known, else columns that are as many in every row."""
    return max(DELIMITERS, key=lambda delimiter: _fitness(sample, delimiter))


def _fitness(sample: Sequence[str], delimiter: str) -> tuple[int, int, int]:
    try:
        rows = [row for row in csv.reader(sample, delimiter=delimiter) if row]
    except csv.Error:
        return 0, 0, 0
    if not rows or len(rows[0]) < 2 or len(rows[0]) > MAX_COLUMNS:  # noqa: PLR2004 - one column is none
        return 0, 0, 0
    alike = sum(len(row) == len(rows[0]) for row in rows)
    return likeness([name.strip() for name in rows[0]]), alike, len(rows[0])
