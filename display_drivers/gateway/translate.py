"""Every error of HTTP and JSON, as one of ours: the only place of this driver that knows both."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import msgspec

from display_drivers.errors import (
    BusyError,
    DriverError,
    NotAllowedError,
    PermanentError,
    TransientError,
    UnknownDisplayError,
    UnreachableError,
)
from display_drivers.gateway.wire import Problem

_BUSY = 429
_AWAY = frozenset({408, 502, 503, 504})  # a proxy or a gateway that is starting answers for a gateway that is away
_NOT_ALLOWED = frozenset({401, 403, 407})
_NOT_FOUND = 404
_SERVER_ERROR = 500

_UNREACHABLE: tuple[type[Exception], ...] = (httpx.TransportError, TimeoutError, OSError)
_NOT_UNDERSTOOD: tuple[type[Exception], ...] = (
    httpx.DecodingError,
    msgspec.MsgspecError,
    UnicodeError,
)
_MISCONFIGURED: tuple[type[Exception], ...] = (
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
    httpx.TooManyRedirects,
    httpx.CookieConflict,
    ssl.SSLCertVerificationError,
)
_OUR_MISTAKE: tuple[type[Exception], ...] = (httpx.StreamError, RuntimeError, ValueError, TypeError)


@contextmanager
def translated(gateway: str) -> Iterator[None]:
    """Lets nothing but DriverErrors out. `gateway` is how the words name it."""
    try:
        yield
    except DriverError:
        raise
    except Exception as error:
        raise translate(error, gateway) from error


def translate(error: Exception, gateway: str) -> DriverError:
    """Order matters: the narrower class first.

    An answer that cannot be understood is a lost answer: what was pushed may have been taken, so the same tokens have
    to be sent again, which UnreachableError makes the service do without spending their attempts.
    """
    if isinstance(error, httpx.HTTPStatusError):
        return _refusal(error.response, gateway)
    if any(isinstance(cause, _MISCONFIGURED) for cause in _causes(error)):
        return PermanentError(f"Check the url of gateway {gateway}: {_words(error)}.")
    if isinstance(error, _NOT_UNDERSTOOD):
        return UnreachableError(f"What answers at {gateway} does not speak the gateway protocol: {_words(error)}.")
    if isinstance(error, _UNREACHABLE):
        return UnreachableError(f"Gateway {gateway} does not answer: {_words(error)}.")
    return TransientError(f"The driver of gateway {gateway} failed: {_words(error)}.")


MAPPED = (httpx.HTTPStatusError, *_MISCONFIGURED, *_NOT_UNDERSTOOD, *_UNREACHABLE, *_OUR_MISTAKE)
"""Every class that `translate` was written for; a test compares it with what httpx and msgspec can raise."""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from: httpx hides a refused certificate two causes deep."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).rstrip(".")


def _refusal(response: httpx.Response, gateway: str) -> DriverError:
    """What a status other than success means; the body must have been read."""
    status, problem = response.status_code, _problem(response)
    words = f"Gateway {gateway} answered {status}: {problem.detail or response.reason_phrase}".rstrip(". ") + "."
    if status == _BUSY:
        return BusyError(words, _retry_after(response))
    if status in _AWAY:
        return UnreachableError(words, _retry_after(response))
    if status in _NOT_ALLOWED:
        return NotAllowedError(f"{words} Check its secret.")
    if status == _NOT_FOUND and problem.code == "unknownDisplay":
        return UnknownDisplayError(words)
    return (
        TransientError(words) if status >= _SERVER_ERROR and problem.code != "notSupported" else PermanentError(words)
    )


def _problem(response: httpx.Response) -> Problem:
    try:
        return msgspec.json.decode(response.content, type=Problem)
    except (msgspec.MsgspecError, UnicodeError):
        return Problem()  # a proxy's page, perhaps: the status alone has to do


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds; the header's other form, a date, is taken as not said."""
    words = response.headers.get("retry-after", "")
    return float(words) if words.isascii() and words.isdigit() else None
