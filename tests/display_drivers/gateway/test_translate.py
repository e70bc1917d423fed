import ssl

import httpx
import msgspec
import pytest

from display_drivers.errors import (
    BusyError,
    NotAllowedError,
    PermanentError,
    TransientError,
    UnknownDisplayError,
    UnreachableError,
)
from display_drivers.gateway.translate import MAPPED, translate, translated

BASES = {httpx.HTTPError, httpx.RequestError}
FOREIGN = [
    thing
    for module in (httpx, msgspec)
    for thing in vars(module).values()
    if isinstance(thing, type) and issubclass(thing, Exception) and thing not in BASES
]
REQUEST = httpx.Request("POST", "http://gateway/updates")


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda foreign: foreign.__name__)
def test_every_error_of_the_libraries_is_mapped(foreign):
    assert issubclass(foreign, MAPPED)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (httpx.ConnectError("refused"), UnreachableError),
        (httpx.ReadTimeout("slow"), UnreachableError),
        (httpx.PoolTimeout("full"), UnreachableError),
        (httpx.RemoteProtocolError("hung up"), UnreachableError),
        (TimeoutError(), UnreachableError),
        (ConnectionResetError(), UnreachableError),
        (httpx.DecodingError("bad gzip"), UnreachableError),
        (msgspec.ValidationError("Expected `array`"), UnreachableError),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), UnreachableError),
        (httpx.UnsupportedProtocol("gopher"), PermanentError),
        (httpx.InvalidURL("no host"), PermanentError),
        (httpx.TooManyRedirects("in a circle"), PermanentError),
        (ssl.SSLCertVerificationError("self-signed"), PermanentError),
        (httpx.StreamConsumed(), TransientError),
        (RuntimeError("client closed"), TransientError),
        (KeyError("ours"), TransientError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_an_error_becomes_what_is_to_be_done_about_it(error, ours):
    assert type(translate(error, "http://gateway")) is ours
    assert "http://gateway" in translate(error, "http://gateway").detail


def test_a_refused_certificate_is_found_behind_a_connect_error():
    error = httpx.ConnectError("TLS")
    error.__cause__ = OSError()
    error.__cause__.__cause__ = ssl.SSLCertVerificationError("self-signed")
    assert type(translate(error, "https://gateway")) is PermanentError


@pytest.mark.parametrize(
    ("status", "body", "ours"),
    [
        (302, b"", PermanentError),
        (400, b'{"code":"badRequest","detail":"no token"}', PermanentError),
        (401, b"", NotAllowedError),
        (403, b"", NotAllowedError),
        (404, b"<html>", PermanentError),
        (404, b'{"code":"unknownDisplay"}', UnknownDisplayError),
        (413, b"", PermanentError),
        (429, b"", BusyError),
        (500, b"", TransientError),
        (501, b'{"code":"notSupported"}', PermanentError),
        (502, b"", UnreachableError),
        (503, b"\xff", UnreachableError),
        (504, b"", UnreachableError),
    ],
)
def test_a_status_becomes_what_is_to_be_done_about_it(status, body, ours):
    response = httpx.Response(status, content=body, request=REQUEST)
    error = httpx.HTTPStatusError("", request=REQUEST, response=response)
    assert type(translate(error, "http://gateway")) is ours
    assert str(status) in translate(error, "http://gateway").detail


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)])
def test_retry_after_is_told_where_it_is_a_number(header, seconds):
    response = httpx.Response(429, headers={"retry-after": header}, request=REQUEST)
    error = translate(httpx.HTTPStatusError("", request=REQUEST, response=response), "g")
    assert isinstance(error, BusyError)
    assert error.retry_after == seconds


def test_our_own_errors_pass_as_they_are():
    ours = BusyError("later", 3)
    with pytest.raises(BusyError) as raised, translated("g"):
        raise ours
    assert raised.value is ours
