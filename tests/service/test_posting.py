"""Webhooks over real sockets: what is signed, where no request goes, and answers that are slow, endless or broken."""

import asyncio
import base64
from collections.abc import Sequence
from pathlib import Path

import pytest

from service.core.targets import TargetError
from service.core.webhooks import Answer
from service.webhooks import posting
from service.webhooks.posting import KEPT, Poster, signed
from tests.receiver import Authority, Receiver, answering, receiving

LOCAL = ("127.0.0.0/8",)
BODY = b'{"type":"webhook.test"}'
SECRETS = [f"whsec_{base64.b64encode(bytes([number]) * 24).decode()}" for number in (1, 2)]


class Names:
    """A resolver whose answers change from one look to the next; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def poster(timeout: float = 5.0, **more: object) -> Poster:
    return Poster(LOCAL, timeout, **more)  # type: ignore[arg-type] - passed through


async def post(receiver: Receiver, patience: float = 5.0) -> Answer:
    return await poster(patience).post(receiver.url, {}, BODY)


async def test_both_secrets_of_a_rotation_verify_what_is_posted() -> None:
    from service.context import now  # noqa: PLC0415 - the wall's clock, which the library compares with

    async with receiving(secrets=SECRETS) as receiver:
        answer = await poster().post(receiver.url, signed(SECRETS, "01ABC", now(), BODY), BODY)
        assert answer.status == 204
        [got] = receiver.got
        assert (got.line, got.id, got.message) == ("POST /hook HTTP/1.1", "01ABC", {"type": "webhook.test"})
        assert got.headers["content-type"] == "application/json"
        assert len(got.headers["webhook-signature"].split(" ")) == 2


async def test_what_the_receiver_says_is_kept() -> None:
    async with receiving(answering(503, "Retry-After: 120", body="Später\x00!".encode())) as receiver:
        answer = await post(receiver)
        assert (answer.status, answer.retry_after, answer.body) == (503, "120", "Später!")


OURS = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "[::1]", "0.0.0.0"]  # noqa: S104 - asked for


@pytest.mark.parametrize("host", OURS)
async def test_no_form_of_our_own_address_is_connected_to(host: str) -> None:
    async with receiving() as receiver:
        for scheme in ("http", "https"):
            answer = await Poster((), 5).post(f"{scheme}://{host}:{receiver.port}/", {}, BODY)
            assert answer.status is None
            assert "not public" in (answer.error or "")
        assert receiver.got == []


async def test_a_name_that_leads_elsewhere_a_moment_later_is_not_followed_there() -> None:
    names = Names(["93.184.215.14"], ["127.0.0.1"])
    async with receiving() as receiver:
        out = Poster((), 5, resolve=names)
        url = f"https://rebinding.example:{receiver.port}/"
        await out.check(url)
        answer = await out.post(url, {}, BODY)
        assert "not public" in (answer.error or "")
        assert names.asked == 2
        assert receiver.got == []


async def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    async with receiving() as receiver:
        answer = await poster(resolve=names).post(f"http://name.example:{receiver.port}/", {}, BODY)
        assert (answer.status, names.asked) == (204, 1)
        assert receiver.got[0].headers["host"] == f"name.example:{receiver.port}"


async def test_of_several_addresses_those_that_are_not_public_are_left_out() -> None:
    async with receiving() as receiver:
        out = poster(resolve=Names(["10.1.1.1", "fe80::1", "127.0.0.1"]))
        assert (await out.post(f"http://both.example:{receiver.port}/", {}, BODY)).status == 204


async def test_the_second_address_is_tried_where_the_first_refuses() -> None:
    async with receiving() as receiver:
        out = poster(resolve=Names(["127.0.0.2", "127.0.0.1"]))
        assert (await out.post(f"http://two.example:{receiver.port}/", {}, BODY)).status == 204


async def test_plain_http_goes_to_allowed_networks_only() -> None:
    with pytest.raises(TargetError, match="https://"):
        await poster(resolve=Names(["93.184.215.14"])).check("http://public.example/")
    await poster(resolve=Names(["127.0.0.9"])).check("http://own.example/")


@pytest.mark.parametrize("found", [[], OSError("?"), UnicodeError("?")])
async def test_a_name_without_an_address_is_told_when_it_is_saved(found: list[str] | Exception) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        if isinstance(found, Exception):
            raise found
        return found

    with pytest.raises(TargetError, match=r"nobody\.example has no address"):
        await poster(resolve=resolve).check("https://nobody.example/")


async def test_a_redirect_is_an_answer_and_nothing_more() -> None:
    async with receiving() as inside, receiving(answering(307, f"Location: {inside.url}")) as receiver:
        assert (await post(receiver)).status == 307
        assert inside.got == []


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving(answering(500)) as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert (await post(receiver)).status == 204
        assert proxy.got == []


async def _drip(writer: asyncio.StreamWriter) -> None:
    """A status line that never ends."""
    writer.write(b"HTTP/1.1 200 ")
    while not writer.is_closing():
        writer.write(b"O")
        await writer.drain()
        await asyncio.sleep(0.01)


async def _pour(writer: asyncio.StreamWriter) -> None:
    """An answer without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x" * 65536)
        await writer.drain()


async def _pour_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-More: " + b"x" * 8192 + b"\r\n")
        await writer.drain()


async def _stall(writer: asyncio.StreamWriter) -> None:
    """A body that is promised and does not come."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    await writer.drain()
    await asyncio.Event().wait()


async def _say_nothing(_writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("slow", [_drip, _say_nothing])
async def test_a_slow_answer_is_waited_for_so_long_and_no_longer(slow: object) -> None:
    async with receiving(slow) as receiver:  # type: ignore[arg-type] - one of the above
        answer = await post(receiver, 0.2)
        assert (answer.status, answer.error) == (None, "No answer within 0.2 seconds.")


async def test_an_endless_body_is_read_for_a_kilobyte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "_ANSWER_WITHIN", 30.0)
    async with receiving(_pour) as receiver:
        answer = await post(receiver, 60.0)
        assert (answer.status, answer.body) == (200, "x" * KEPT)


async def test_endless_headers_are_no_answer() -> None:
    async with receiving(_pour_headers) as receiver:
        answer = await post(receiver)
        assert answer.status is None
        assert "no HTTP" in (answer.error or "")


async def test_a_body_that_does_not_come_takes_nothing_from_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.webhooks.posting._ANSWER_WITHIN", 0.05)
    async with receiving(_stall) as receiver:
        answer = await post(receiver)
        assert (answer.status, answer.body) == (200, "half")


@pytest.mark.parametrize(("said", "error"), [(b"SSH-2.0-hello\r\n\r\n", "no HTTP"), (b"", "no HTTP")])
async def test_what_is_no_http_is_no_answer(said: bytes, error: str) -> None:
    async with receiving(said) as receiver:
        answer = await post(receiver)
        assert answer.status is None
        assert error in (answer.error or "")


async def test_nobody_there_is_said_in_a_sentence() -> None:
    async with receiving() as receiver:
        pass
    assert (await post(receiver)).error == "The connection was refused, or there is no way to the address."


async def test_tls_is_verified_for_the_name_and_not_for_the_address(tmp_path: Path) -> None:
    authority = Authority()
    async with receiving(tls=authority.server(tmp_path, "shop.example")) as receiver:
        out = poster(resolve=Names(["127.0.0.1"]), tls=authority.trusted())
        assert (await out.post(f"https://shop.example:{receiver.port}/", {}, BODY)).status == 204
        answer = await out.post(f"https://other.example:{receiver.port}/", {}, BODY)
        assert (answer.error or "").startswith("TLS failed: ")
        assert len(receiver.got) == 1


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_certificate_that_has_expired_or_that_nobody_vouches_for_is_refused(
    tmp_path: Path, trusted: bool
) -> None:
    authority = Authority()
    async with receiving(tls=authority.server(tmp_path, "shop.example", valid=not trusted)) as receiver:
        out = poster(resolve=Names(["127.0.0.1"]), tls=authority.trusted() if trusted else None)
        answer = await out.post(f"https://shop.example:{receiver.port}/", {}, BODY)
        assert (answer.error or "").startswith("TLS failed: ")
        assert receiver.got == []


async def test_tls_with_somebody_who_speaks_none_is_no_answer() -> None:
    def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        answer = await poster().post(f"https://127.0.0.1:{port}/", {}, BODY)
        assert (answer.error or "").startswith("TLS failed: ")
