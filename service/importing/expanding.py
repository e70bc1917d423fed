"""gzip in a stream: recognised by its first bytes, bounded against bombs, whatever chunks it comes in."""

import zlib
from collections.abc import Iterable, Iterator

from service.importing.outcomes import UnreadableError

PIECE = 64 * 1024
"""Bytes that are handed on at once."""
MAX_EXPANDED = 2 * 1024**3
MAX_RATIO = 200
"""Price lists shrink to a tenth or a thirtieth; what grows more than this after its first megabytes is a bomb."""
_ALLOWED_ANYWAY = 16 * 1024**2
_GZIP = b"\x1f\x8b"
_WITH_GZIP_HEADER = 31


def expanded(chunks: Iterable[bytes], most: int = MAX_EXPANDED) -> Iterator[bytes]:
    """Pieces of at most 64 KiB, expanded where the file is gzip. Raises UnreadableError."""
    chunks = iter(chunks)
    head = b""
    while len(head) < len(_GZIP) and (chunk := next(chunks, None)) is not None:
        head += chunk
    pieces = _pieces(head, chunks)
    return _gunzipped(pieces, most) if head.startswith(_GZIP) else _bounded(pieces, most)


def _pieces(head: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in (head, *()):
        yield from _cut(chunk)
    for chunk in chunks:
        yield from _cut(chunk)


def _cut(chunk: bytes) -> Iterator[bytes]:
    for start in range(0, len(chunk), PIECE):
        yield chunk[start : start + PIECE]


def _bounded(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            raise _too_large(most)
        yield piece


def _gunzipped(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Every member of the file, one after the other; zeros that pad its end are none."""
    taken = given = 0
    member = zlib.decompressobj(_WITH_GZIP_HEADER)
    begun = False
    for piece in pieces:
        taken += len(piece)
        rest = piece
        while rest:
            if member.eof:
                member, begun = zlib.decompressobj(_WITH_GZIP_HEADER), False
            if not begun and not (rest := rest.lstrip(b"\0")):
                break
            begun = True
            part = _expand(member, rest)
            rest = member.unused_data if member.eof else member.unconsumed_tail
            given += len(part)
            if given > most:
                raise _too_large(most)
            if given > _ALLOWED_ANYWAY and given > MAX_RATIO * taken:
                raise UnreadableError(f"The file grows to over {MAX_RATIO} times its size; send it uncompressed.")
            if part:
                yield part
    yield from _last(member, begun=begun)


def _expand(member: "zlib._Decompress", data: bytes) -> bytes:
    try:
        return member.decompress(data, PIECE)
    except zlib.error as error:
        raise UnreadableError(f"The file is damaged gzip ({error}); compress it again.") from None


def _last(member: "zlib._Decompress", *, begun: bool) -> Iterator[bytes]:
    """What zlib held back while its output was full."""
    while begun and not member.eof:
        part = _expand(member, b"")
        if not part:
            raise UnreadableError("The file ends in the middle of its gzip data; send it whole.")
        yield part


def _too_large(most: int) -> UnreadableError:
    return UnreadableError(f"The file has more than {most // 1024**2} MiB once expanded; send it in parts.")
