"""Answers that are files, written as they are read; gzip where the caller takes it."""

import re
import zlib
from collections.abc import AsyncIterator

from litestar.connection import ASGIConnection
from litestar.response import Stream

_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 4
"""Of zlib: two thirds of the time of its usual one, and a tenth more bytes."""
_ZERO = re.compile(r"q\s*=\s*0(?:\.0*)?\s*")


def stream(request: ASGIConnection, chunks: AsyncIterator[bytes], name: str, media: str) -> Stream:  # type: ignore[type-arg]
    """The file, of whatever length; whoever saves it is told a name."""
    packed = takes_gzip(request.headers.get("accept-encoding", ""))
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Vary": "Accept-Encoding",
        **({"Content-Encoding": "gzip"} if packed else {}),
    }
    return Stream(_packed(chunks) if packed else chunks, media_type=media, headers=headers)


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header (RFC 9110, 12.5.3) allows gzip by name."""
    for offer in accepted.lower().split(","):
        coding, *parameters = offer.split(";")
        if coding.strip() in {"gzip", "x-gzip"}:
            return not any(_ZERO.fullmatch(parameter.strip()) for parameter in parameters)
    return False


async def _packed(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    async for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()
