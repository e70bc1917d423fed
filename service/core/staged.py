"""What a push holds until it is saved: its rows as they came, in their order, with null in the place of a refused one.

A row that came before word for word, and was the last to change its product, changes nothing: it need not be read at
all, and most rows of a nightly file are such. So rows are kept as they came, with a mark that tells them apart.
"""

import hashlib
from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from service.core.barcodes import trimmed
from service.core.product import Row, StoreFacts
from service.core.rows import RULES, Parsed, parse_rows


class Held(NamedTuple):
    """A row that was accepted, as it came; `place` is its index in the push, from 0."""

    place: int
    barcode: str
    text: msgspec.Raw


class _Head(msgspec.Struct):
    barcode: str


class _OldHead(msgspec.Struct, array_like=True):
    index: int
    barcode: str


_REFUSED = b"null"
_OLD = b"[["
"""How a push begins that was held before rows were kept as they came: a list of core.product.Row."""
_decode_heads = msgspec.json.Decoder(list[_Head | None]).decode
_decode_old_heads = msgspec.json.Decoder(list[_OldHead]).decode
_decode_texts = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_old = msgspec.json.Decoder(Row).decode


def hold(raws: Sequence[msgspec.Raw], refused: Collection[int]) -> bytes:
    """What is to be kept of a push."""
    texts = [_REFUSED if index in refused else raw for index, raw in enumerate(raws)] if refused else raws
    return b"[" + b",".join(texts) + b"]"


def barcodes(held: bytes) -> list[tuple[int, str]]:
    """(Index, barcode) of the accepted rows of a push."""
    if held.startswith(_OLD):
        return [(head.index, head.barcode) for head in _decode_old_heads(held)]
    return [(index, trimmed(head.barcode)) for index, head in enumerate(_decode_heads(held)) if head]


def rows(held: bytes) -> list[Held]:
    """The accepted rows of a push."""
    texts = _decode_texts(held)
    if held.startswith(_OLD):
        return [Held(*named, text) for named, text in zip(barcodes(held), texts, strict=True)]
    return [Held(index, barcode, texts[index]) for index, barcode in barcodes(held)]


def some(held: bytes, named: Sequence[tuple[int, str]], numbers: Collection[int]) -> list[Held]:
    """Of the accepted rows of a push, which `barcodes` named, those with these numbers, from 0."""
    texts = _decode_texts(held)
    is_old = held.startswith(_OLD)
    return [Held(*named[number], texts[number if is_old else named[number][0]]) for number in numbers]


def mark(row: Held, store: StoreFacts) -> bytes:
    """16 bytes that are the same for the same words, as long as they mean the same: by these rules, in this store."""
    means = f"{RULES} {store.currency} {store.timezone}".encode()
    return hashlib.blake2b(row.text, digest_size=16, key=means[:64]).digest()


def parse(held: Sequence[Held], store: StoreFacts) -> Parsed:
    """The rows, normalised, each with its place in the push; errors only if they are read otherwise than on arrival."""
    if held and bytes(held[0].text).startswith(b"["):
        return Parsed([_decode_old(row.text) for row in held])
    texts: list[msgspec.Raw | None] = [None] * (held[-1].place + 1 if held else 0)
    for row in held:
        texts[row.place] = row.text
    return parse_rows(texts, "whole", store)
