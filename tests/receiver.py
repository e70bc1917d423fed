"""A receiver of webhooks on a real socket: it verifies with the standard's library and answers as it is told."""

import asyncio
import contextlib
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks import Webhook

OK = b"HTTP/1.1 204 No Content\r\n\r\n"

Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answering(status: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Got:
    """One request; `message` is what the library made of it, None where nobody verifies."""

    line: str
    headers: dict[str, str]
    body: bytes
    message: Any

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """`answer`: the bytes of an answer, or a coroutine that writes one; `script` comes before it, one for each request.

    With `secrets` each request has to verify with every one of them, as two receivers in the middle of a rotation.
    """

    port: int = 0
    scheme: str = "http"
    answer: bytes | Answering = OK
    script: list[bytes | Answering] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    most_at_once: int = 0
    _now: int = 0
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    async def wait(self, count: int, within: float = 10.0) -> list[Got]:
        """Until so many requests have come."""
        async with asyncio.timeout(within):
            while len(self.got) < count:
                self._more.clear()
                await self._more.wait()
        return self.got

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            self.got.append(self._read(*await _request(reader)))
            self._more.set()
            answer = self.script.pop(0) if self.script else self.answer
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # whoever asked has gone
        except Exception as error:  # noqa: BLE001 - told by the test, which sees no traceback of this task
            self.faults.append(error)
        finally:
            self._now -= 1
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    def _read(self, line: str, headers: dict[str, str], body: bytes) -> Got:
        messages = [Webhook(secret).verify(body, headers) for secret in self.secrets]
        return Got(line, headers, body, messages[0] if messages else None)


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head.rstrip().split("\r\n")
    headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in rest)}
    return line, headers, await reader.readexactly(int(headers.get("content-length", "0")))


@contextlib.asynccontextmanager
async def receiving(
    answer: bytes | Answering = OK, *, secrets: list[str] | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    receiver = Receiver(scheme="https" if tls else "http", answer=answer, secrets=secrets or [])
    tasks: set[asyncio.Task[None]] = set()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(receiver.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert not receiver.faults, receiver.faults


@dataclass
class Authority:
    """A certificate authority of the test's own."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def name(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])

    def certificate(self) -> bytes:
        return self._sign(self.name, self.key, x509.BasicConstraints(ca=True, path_length=None))

    def server(self, folder: Any, *names: str, valid: bool = True) -> ssl.SSLContext:
        """What a server of these names has; not `valid`: until yesterday."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        certificate = self._sign(x509.Name([]), key, alternative, valid=valid)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / "server.pem").write_bytes(private + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        return context

    def trusted(self) -> ssl.SSLContext:
        """What a client has that trusts this authority alone."""
        return ssl.create_default_context(cadata=self.certificate().decode())

    def _sign(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType, *, valid: bool = True
    ) -> bytes:
        now = dt.datetime.now(dt.UTC)
        day = dt.timedelta(days=1)
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 3 * day)
            .not_valid_after(now + day if valid else now - day)
            .add_extension(extension, critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )
