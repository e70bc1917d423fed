"""Every error of HTTP, WebSocket and JSON, as one of ours: the only place of this driver that knows them all."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import msgspec
import websockets

from display_drivers.errors import BusyError, DriverError, PermanentError, TransientError, UnreachableError

_CONFLICT = 409
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_UNREACHABLE: tuple[type[Exception], ...] = (
    httpx.TransportError,
    websockets.WebSocketException,
    TimeoutError,
    OSError,
)
_NOT_UNDERSTOOD: tuple[type[Exception], ...] = (httpx.DecodingError, msgspec.MsgspecError, UnicodeError)
_MISCONFIGURED: tuple[type[Exception], ...] = (
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    websockets.InvalidURI,
    ssl.SSLCertVerificationError,
)


@contextmanager
def translated(point: str) -> Iterator[None]:
    """Lets nothing but DriverErrors out. `point` is how the words name the access point."""
    try:
        yield
    except DriverError:
        raise
    except Exception as error:
        raise translate(error, point) from error


def translate(error: Exception, point: str) -> DriverError:
    """Order matters: the narrower class first. An answer that cannot be understood is a lost answer."""
    words = (str(error) or type(error).__name__).rstrip(".")
    if isinstance(error, httpx.HTTPStatusError):
        return _refusal(error.response, point)
    if isinstance(error, _MISCONFIGURED):
        return PermanentError(f"Check the url of access point {point}: {words}.")
    if isinstance(error, _NOT_UNDERSTOOD):
        return UnreachableError(f"What answers at {point} does not speak as an OpenEPaperLink access point: {words}.")
    if isinstance(error, _UNREACHABLE):
        return UnreachableError(f"Access point {point} does not answer: {words}.")
    return TransientError(f"The driver of access point {point} failed: {words}.")


def _refusal(response: httpx.Response, point: str) -> DriverError:
    """Older firmware says what is wrong; newer says 200 to whatever it was, and its records have to tell."""
    words = f"Access point {point} answered {response.status_code}: {response.text[:200] or response.reason_phrase}."
    if response.status_code == _CONFLICT:
        return BusyError(words)
    if _CLIENT_ERROR <= response.status_code < _SERVER_ERROR:
        return PermanentError(words)
    return UnreachableError(words)
