"""Request bodies: bytes as they come, decoded by msgspec alone: Litestar's own decoding sends prices through float.

Whatever cannot be read is refused with 400, 413 or 415 before anything is done with it.
"""

import re
import zlib
from email.message import Message
from typing import Any, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException

from service.errors import TooLargeError, UnsupportedMediaTypeError, ValidationError

T = TypeVar("T")
AnyRequest = Request[Any, Any, Any]

_GZIP = 16 + zlib.MAX_WBITS
_CHARSETS = {"", "utf-8", "utf8", "us-ascii"}
_PLACE = re.compile(r"(?P<reason>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_NAMED = re.compile(r"Object missing required field `(?P<name>\w+)`")


async def read(request: AnyRequest, limit: int) -> bytes:
    """The JSON text of a request, expanded: UTF-8, at most `limit` bytes."""
    _check_type(request)
    return _text(await _expanded(request, limit))


async def read_optional(request: AnyRequest, limit: int) -> bytes:
    """The same where a body may be left out; nothing at all has no media type either."""
    body = await _expanded(request, limit)
    if body:
        _check_type(request)
    return _text(body)


async def read_text(request: AnyRequest, limit: int) -> str:
    """A body that is a file of text, expanded: UTF-8, with or without a byte order mark."""
    return _text(await _expanded(request, limit)).decode("utf-8-sig")


def decode(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as what the decoder makes of it; ValidationError with the field that is wrong."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        reason, path = _wrong(str(error))
        raise ValidationError(f"The body is not as it should be: {reason}.", {path or "body": reason}) from None
    except msgspec.DecodeError as error:
        raise ValidationError(f"The body is not JSON: {error}.", {"body": "is not JSON"}) from None
    except RecursionError:
        raise ValidationError("The body is nested beyond reason.", {"body": "is nested too deeply"}) from None


def convert(query: dict[str, str], kind: type[T]) -> T:
    """Query parameters as a struct; ValidationError with the parameter that is wrong."""
    try:
        return msgspec.convert(query, kind, strict=False)
    except msgspec.ValidationError as error:
        reason, path = _wrong(str(error))
        raise ValidationError(f"The query is not as it should be: {reason}.", {path: reason}) from None


def _check_type(request: AnyRequest) -> None:
    sent = request.headers.get("content-type", "")
    message = Message()
    message["content-type"] = sent if sent.isprintable() else ""
    kind, charset = message.get_content_type(), message.get_content_charset("")
    if not (kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))):
        raise UnsupportedMediaTypeError("Send the body as Content-Type: application/json.")
    if charset not in _CHARSETS:
        raise UnsupportedMediaTypeError("Send the body in UTF-8; JSON has no other encoding.")


async def _expanded(request: AnyRequest, limit: int) -> bytes:
    encoding = request.headers.get("content-encoding", "").strip().lower()
    try:
        if encoding in {"", "identity"}:
            return b"".join([chunk async for chunk in request.stream()])
        if encoding in {"gzip", "x-gzip"}:
            return await _gunzipped(request, limit)
    except InternalServerException:
        raise ValidationError("The connection ended before the body did.") from None
    raise UnsupportedMediaTypeError("Of content encodings only gzip is understood here.")


async def _gunzipped(request: AnyRequest, limit: int) -> bytes:
    """One gzip member, expanded chunk by chunk, so that a small body never becomes a large one in memory."""
    expander = zlib.decompressobj(_GZIP)
    parts: list[bytes] = []
    room = limit
    try:
        async for chunk in request.stream():
            # One byte more than there is room for, since a length of 0 would mean: without limit.
            parts.append(expander.decompress(chunk, room + 1))
            room -= len(parts[-1])
            if room < 0:
                raise TooLargeError(f"The body expands to more than {limit} bytes; send fewer products at once.")
            if expander.unused_data:
                break
    except zlib.error:
        raise ValidationError("The body is not gzip, or it is damaged.", {"body": "is not gzip"}) from None
    if not expander.eof or expander.unused_data:
        raise ValidationError("The gzip body is cut off, or goes on after its end.", {"body": "is not gzip"})
    return b"".join(parts)


def _text(body: bytes) -> bytes:
    """The body, if it is UTF-8: a decoder that leaves products for later would not look into their strings."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise ValidationError(f"Byte {error.start} of the body is not UTF-8.", {"body": "is not UTF-8"}) from None
    return body


def _wrong(message: str) -> tuple[str, str]:
    """What msgspec says is wrong, and where."""
    match = _PLACE.fullmatch(message)
    reason, path = (match["reason"], match["path"] or "") if match else (message, "")
    if missing := _NAMED.fullmatch(reason):
        return f"`{missing['name']}` is required", ".".join(filter(None, [path, missing["name"]]))
    return reason[:1].lower() + reason[1:], path
