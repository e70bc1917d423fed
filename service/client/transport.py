"""Requests of one token, repeated until they are through, where that is safe, and no faster than we are asked to."""

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, Self, TypeVar

import httpx
import msgspec

from service.messages import Fault, Page

T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query = Mapping[str, str | int | bool | None]

_FIRST_WAIT = 0.25
_LONGEST_WAIT = 10.0
_BUSY = {408, 429, 500, 502, 503, 504}
_NOT_BEGUN = {429, 503}
"""Of these the ones that say that nothing was done."""


class RefusedError(Exception):
    """The API said no, or did not answer for too long; the message is for people.

    Attributes:
        status: HTTP status; None if there was no answer.
        code: Machine-readable, such as `conflict`; None if it was not Shelfcast that answered.
    """

    def __init__(self, detail: str, status: int | None = None, code: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


class Transport:
    """One token's connection.

    Args:
        url: Where Shelfcast is, such as http://127.0.0.1:8080.
        patience: Seconds for which an API that does not answer, or is busy, is tried again.
        tell: Called with a sentence when there is something to wait for.
    """

    def __init__(
        self, url: str, token: str, patience: float = 120.0, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/api/v1",
            headers={"authorization": f"Bearer {token}", "user-agent": "shelfcast"},
            timeout=httpx.Timeout(60.0, connect=5.0),
        )
        self._url = url
        self._patience = patience
        self._tell = tell
        self._about: Query = {}

    def about(self, store: str | None) -> Self:
        """The same connection, for a chain's token: every request names this store (slug or ULID)."""
        other = copy.copy(self)
        other._about = {"store": store}  # noqa: SLF001 - of our own kind
        return other

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, form: type[T], **query: str | int | bool | None) -> T:
        return self._decode(self.ask("GET", path, query=query), form)

    def pages(self, path: str, form: type[Page[T]], **query: str | int | bool | None) -> Iterator[T]:
        """Every entry of a list, page by page, however long it is and whatever changes meanwhile."""
        cursor: str | None = None
        while True:
            page = self.get(path, form, **query, cursor=cursor)
            yield from page.data
            cursor = page.meta.next
            if cursor is None:
                return

    def send(
        self,
        method: Method,
        path: str,
        message: object,
        form: type[T],
        *,
        also: int = 0,
        key: str | None = None,
        query: Query | None = None,
        repeat: bool = True,
    ) -> T:
        """Send a message. `key`: an Idempotency-Key. Without `repeat`, what may have been done is not asked again."""
        headers = {"content-type": "application/json"} | ({"idempotency-key": key} if key else {})
        body = msgspec.json.encode(message)
        answer = self.ask(method, path, body=body, headers=headers, query=query, also=also, repeat=repeat)
        return self._decode(answer, form)

    def ask(
        self,
        method: Method,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Query | None = None,
        also: int = 0,
        repeat: bool = True,
    ) -> httpx.Response:
        """The answer, once there is one; raises RefusedError for one that is neither a success nor `also`."""
        give_up = time.monotonic() + self._patience
        wait = _FIRST_WAIT
        while True:
            answer, trouble = self._try(method, path, body, headers, query)
            if answer is not None and (answer.is_success or answer.status_code == also):
                return answer
            if not _may_be_repeated(answer, trouble, repeat=repeat):
                raise _refusal(answer, trouble, self._url)
            pause = min(max(wait, _retry_after(answer)), max(0.0, give_up - time.monotonic()))
            if not pause:
                raise RefusedError(f"Given up after {self._patience:g} s: {_refusal(answer, trouble, self._url)}")
            self._tell(f"{_refusal(answer, trouble, self._url)} Trying again …")
            time.sleep(pause)
            wait = min(2 * wait, _LONGEST_WAIT)

    def _try(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None, query: Query | None
    ) -> tuple[httpx.Response | None, httpx.TransportError | None]:
        params = {name: value for name, value in {**self._about, **(query or {})}.items() if value is not None}
        try:
            return self._client.request(method, path, content=body, headers=headers, params=params), None
        except httpx.TransportError as error:
            return None, error

    def _decode(self, answer: httpx.Response, form: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.content, type=form)
        except msgspec.DecodeError as error:
            raise RefusedError(f"{self._url} does not answer as Shelfcast does: {error}.") from None


def _may_be_repeated(answer: httpx.Response | None, trouble: httpx.TransportError | None, *, repeat: bool) -> bool:
    if answer is None:
        return repeat or isinstance(trouble, httpx.ConnectError | httpx.ConnectTimeout)
    return answer.status_code in (_BUSY if repeat else _NOT_BEGUN)


def _refusal(answer: httpx.Response | None, trouble: httpx.TransportError | None, url: str) -> RefusedError:
    if answer is None:
        return RefusedError(f"{url} does not answer: {trouble or type(trouble).__name__}.")
    try:
        fault = msgspec.json.decode(answer.content, type=Fault)
    except msgspec.DecodeError:
        return RefusedError(f"It answered HTTP {answer.status_code} {answer.reason_phrase}.", answer.status_code)
    return RefusedError(f"{fault.detail} (HTTP {answer.status_code})", answer.status_code, fault.code)


def _retry_after(answer: httpx.Response | None) -> float:
    try:
        return float(answer.headers.get("retry-after", "0")) if answer is not None else 0.0
    except ValueError:  # a date; our own API sends seconds
        return 0.0
