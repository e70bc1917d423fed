"""A file from its bytes to rows of the feed: the one way in for `shelfcast push` and for the import API."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import msgspec

from service.importing import formats
from service.importing.decoding import BROKEN, Decoded, public
from service.importing.expanding import MAX_EXPANDED, expanded
from service.importing.formats import Kind, Layout
from service.importing.markup import Items
from service.importing.numbers import Decimal
from service.importing.outcomes import Fault, Line, Refused, UnreadableError
from service.importing.rows import Maker, keyed, made
from service.importing.tables import Csv, Numbered, lines

SAMPLE = 1000
"""Rows that are looked at before the first one is handed on."""
_SAMPLE_SIZE = 2 * 1024 * 1024
"""Characters of the same, so that rows of any width stay within bounds."""
_AT_FIRST = 4096


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller says of a file; whatever is None is found out.

    Attributes:
        format: One of the bundled formats.
        columns: Feed field -> column, or key of NDJSON, to the letter.
        encoding: As Python or the Web name it.
        delimiter: One character.
        decimal: The sign before a fraction, in every column.
        key_fallback: Field that keys a row without a barcode.
        location: Which store's columns, in a file of several.
        kind: csv, ndjson or xml.
        store: Names that the store goes by, for the same.
        locale: The store's, which decides in doubt between code pages.
        most: Bytes of the file once expanded.
    """

    format: str | None = None
    columns: Mapping[str, str] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: Decimal | None = None
    key_fallback: str | None = None
    location: str | None = None
    kind: Kind | None = None
    store: Sequence[str] = ()
    locale: str = "en"
    most: int = MAX_EXPANDED


class Found(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was found out of a file.

    Attributes:
        decimal: Field -> the sign before its fraction, as its column, or else the file, has it.
        columns: Field -> header.
    """

    format: str | None
    kind: Kind
    encoding: str
    delimiter: str | None = None
    decimal: dict[str, str] = {}
    columns: dict[str, str] = {}


class Reading:
    """The rows of one file, to be iterated over once. Both raise UnreadableError: making one, and going on."""

    def __init__(self, chunks: Iterable[bytes], wish: Wish) -> None:
        self._wish = wish
        self._decoded = Decoded(expanded(_watched(chunks), wish.most), wish.encoding, wish.locale)
        pieces = iter(self._decoded)
        head = _head(pieces)
        self._kind = wish.kind or _kind(head, wish.format)
        self._delimiter: str | None = None
        self._maker: Maker | None = None
        self._layout: Layout | None = None
        self._rows = self._begun(chain([head], pieces))

    def __iter__(self) -> Iterator[Line | Refused]:
        return iter(self._rows)

    @property
    def found(self) -> Found:
        """As far as is known; all but the encoding is, from the beginning."""
        layout, maker = self._layout, self._maker
        return Found(
            format=layout.format if layout else self._wish.format,
            kind=self._kind,
            encoding=public(self._decoded.encoding),
            delimiter=self._delimiter,
            decimal=dict(maker.decimals) if maker else {},
            columns=layout.headers if layout else dict(self._wish.columns or {}),
        )

    def _begun(self, pieces: Iterable[str]) -> Iterable[Line | Refused]:
        if self._kind == "ndjson":
            return _ndjson(pieces, self._wish)
        rows = self._items(pieces) if self._kind == "xml" else self._table(pieces)
        sample, rest = _sampled(iter(rows))
        if self._layout is None:
            raise RuntimeError("The layout is found before the rows.")
        wish = self._wish
        self._maker = Maker(self._layout, sample, decimal=wish.decimal, key_fallback=wish.key_fallback)
        return made(self._maker, chain(sample, rest))

    def _table(self, pieces: Iterable[str]) -> Iterable[Numbered]:
        table = Csv(pieces, self._wish.delimiter)
        self._delimiter = table.delimiter
        self._layout = _layout(table.header, self._wish)
        return table

    def _items(self, pieces: Iterable[str]) -> Iterable[Numbered]:
        if self._wish.columns:
            header = list(dict.fromkeys(self._wish.columns.values()))
            self._layout = formats.by_columns(header, self._wish.columns)
            return Items(pieces, ["item", "line", "product"], header)
        name = self._wish.format or "israel"
        form = formats.named(name)
        header = [tag for tags in (form.columns | form.roles).values() for tag in tags]
        self._layout = formats.by_format(header, name)
        return _first_of(Items(pieces, form.items, header), form, self._layout)


def _first_of(items: Items, form: formats.Format, layout: Layout) -> Iterator[Numbered]:
    """Each field from the first of its tags that says something: chains spell them in several ways."""
    starts = [(layout.places[name], len(tags)) for name, tags in (form.columns | form.roles).items()]
    for number, cells in items:
        for start, count in starts:
            if count > 1 and not cells[start]:
                cells[start] = next((cell for cell in cells[start : start + count] if cell), "")
        yield number, cells


def _layout(header: Sequence[str], wish: Wish) -> Layout:
    store = [name for name in (wish.location, *wish.store) if name]
    if wish.format is not None:
        layout = formats.by_format(header, wish.format, store)
        if not wish.columns:
            return layout
        own = formats.by_columns(header, wish.columns)
        return msgspec.structs.replace(layout, places=layout.places | own.places, headers=layout.headers | own.headers)
    return formats.by_columns(header, wish.columns) if wish.columns else formats.detected(header, store)


def _sampled(rows: Iterator[Numbered]) -> tuple[list[Numbered], Iterator[Numbered]]:
    sample, size = list[Numbered](), 0
    for row in rows:
        sample.append(row)
        size += sum(map(len, row[1]))
        if len(sample) >= SAMPLE or size > _SAMPLE_SIZE:
            break
    return sample, rows


def _watched(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Refuses what is another kind of file altogether."""
    first = True
    for chunk in chunks:
        if first and chunk.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise UnreadableError("This is a spreadsheet or an archive, not text; export it as CSV.")
        first = first and not chunk
        yield chunk


def _head(pieces: Iterator[str]) -> str:
    """The beginning, as far as it takes to know what the file is."""
    head = ""
    while len(head.lstrip()) < _AT_FIRST and (piece := next(pieces, None)) is not None:
        head += piece
        if len(head) > 16 * _AT_FIRST:
            break
    return head.removeprefix("\ufeff")


def _kind(head: str, form: str | None) -> Kind:
    if form is not None and formats.named(form).kind == "xml":
        return "xml"
    first = head.strip("\0 \t\r\n")[:1]
    if not first:
        raise UnreadableError("There is nothing in the file.")
    if first == "[":
        raise UnreadableError("The file is one JSON list; write one object a line (NDJSON), without brackets around.")
    if form is not None and first == "<":
        raise UnreadableError(f"The format {form} is CSV; this is XML or HTML.")
    return "xml" if first == "<" else "ndjson" if first == "{" else "csv"


_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_NOTHING = {b"null", b'""'}


def _ndjson(pieces: Iterable[str], wish: Wish) -> Iterator[Line | Refused]:
    """Values go on as they were written, to the last digit."""
    names = {column: field for field, column in (wish.columns or {}).items()}
    for number, line in enumerate(lines(pieces), start=1):
        if line is None:
            yield Refused(number, None, None, Fault.NOT_JSON, "The line is too long for a product.")
        elif line.strip():
            yield _object(number, line, names, wish.key_fallback)


def _object(number: int, line: str, names: Mapping[str, str], fallback: str | None) -> Line | Refused:
    if BROKEN in line:
        detail = "The line has bytes that are none in the file's encoding; NDJSON is UTF-8."
        return Refused(number, None, None, Fault.NOT_TEXT, detail)
    try:
        sent = _decode(line)
    except (ValueError, RecursionError) as error:
        return Refused(number, None, None, Fault.NOT_JSON, f"The line is not a JSON object: {error}.")
    kept = {names.get(key, key): value for key, value in sent.items() if not names or key in names}
    return keyed(number, {name: value for name, value in kept.items() if _says(name, value)}, fallback)


def _says(name: str, value: msgspec.Raw) -> bool:
    """Whether there is a barcode at all; a wrong one is the feed's to refuse."""
    return name != "barcode" or bytes(value) not in _NOTHING
