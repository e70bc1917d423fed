"""XML in a stream: elements that hold one product each, their children as cells. No DTD, so no entities to blow up."""

from collections.abc import Iterable, Iterator, Sequence
from xml.parsers import expat

from service.importing.decoding import BROKEN
from service.importing.formats import plain
from service.importing.outcomes import UnreadableError
from service.importing.tables import Numbered

MAX_DEPTH = 32
MAX_TEXT = 64 * 1024
"""Characters of one product."""
MAX_TOKEN = 1024 * 1024
"""Bytes of a tag, a comment or anything else that the parser has to hold whole."""
_PIECE = 64 * 1024
_STAND_IN = "\uf8ff"
"""For bytes that are none in the encoding, while the parser has them: no surrogate goes through it."""


class Items:
    """The products of an XML file, numbered, their cells in the order of `header`, which names those that count.

    Many files are one line, so a product is told by its number.
    """

    def __init__(self, pieces: Iterable[str], items: Sequence[str], header: Sequence[str]) -> None:
        self._pieces = pieces
        self._items = {plain(name) for name in items}
        self._places = {plain(name): place for place, name in enumerate(header)}
        self._width = len(header)
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse_dtd
        self._depth = 0
        self._item_depth: int | None = None
        self._cells: list[str] = []
        self._place: int | None = None
        self._texts: list[str] = []
        self._size = 0
        self._found: list[Numbered] = []
        self._count = 0

    def __iter__(self) -> Iterator[Numbered]:
        for piece in self._pieces:
            for start in range(0, len(piece), _PIECE):
                self._parse(piece[start : start + _PIECE])
                yield from self._taken()
        self._parse("", last=True)
        yield from self._taken()

    def _taken(self) -> list[Numbered]:
        found, self._found = self._found, []
        return found

    def _parse(self, text: str, *, last: bool = False) -> None:
        data = text.replace(BROKEN, _STAND_IN).encode("utf-8", "replace")
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError as error:
            raise UnreadableError(
                f"The file is not well-formed XML: {expat.ErrorString(error.code)}, in line {error.lineno}."
            ) from None
        self._size += len(data)
        if self._size > MAX_TOKEN:
            raise UnreadableError(
                f"The XML has more than {MAX_TOKEN // 1024**2} MiB without an element's begin or end,"
                f" after line {self._parser.CurrentLineNumber}."
            )

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._size = 0
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnreadableError(f"The XML is nested deeper than {MAX_DEPTH} elements.")
        tag = plain(name[:100])
        if self._item_depth is None:
            if tag in self._items:
                self._item_depth, self._cells = self._depth, [""] * self._width
        elif self._depth == self._item_depth + 1:
            self._place, self._texts = self._places.get(tag), []

    def _text(self, text: str) -> None:
        if self._place is not None:
            self._texts.append(text[:MAX_TEXT])
            if sum(map(len, self._texts)) > MAX_TEXT:
                raise UnreadableError(
                    f"An element in line {self._parser.CurrentLineNumber} has more than {MAX_TEXT} characters."
                )

    def _end(self, _name: str) -> None:
        self._size = 0
        if self._item_depth is not None and self._depth == self._item_depth + 1:
            if self._place is not None and not self._cells[self._place]:
                self._cells[self._place] = "".join(self._texts).replace(_STAND_IN, BROKEN)
            self._place = None
        elif self._depth == self._item_depth:
            self._item_depth = None
            self._count += 1
            self._found.append((self._count, self._cells))
        self._depth -= 1

    def _refuse_dtd(self, *_: object) -> None:
        raise UnreadableError("The XML has a document type declaration, which is refused; price lists have none.")
