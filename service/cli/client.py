"""The feed API from a POS's side: pushes that are safe to repeat, repeated until they are through."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Self, TypeVar

import httpx
import msgspec

from service.messages import Accepted, BatchDisplay, Fault, Page, RejectedRow, Session, Status

T = TypeVar("T")

ROWS_A_PUSH = 1000
_FIRST_WAIT = 0.25
_LONGEST_WAIT = 10.0
_UNPROCESSABLE = 422
_BUSY = {408, 429, 500, 502, 503, 504}


class RefusedError(Exception):
    """The API said no, or did not answer for too long; the message is for people."""

    def __init__(self, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.status = status


class FeedClient:
    """One POS's connection.

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
            headers={"authorization": f"Bearer {token}", "user-agent": "shelfcast-push"},
            timeout=httpx.Timeout(60.0, connect=5.0),
        )
        self._url = url
        self._patience = patience
        self._tell = tell

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    def start(self, reference: str | None, mode: Literal["merge", "full"]) -> Session:
        return self._post("/batch/start", {"reference": reference, "mode": mode}, Session)

    def push(self, session_id: str, sequence: int, products: Sequence[dict[str, Any]]) -> Accepted:
        """Push up to 1,000 rows; `sequence` makes a repetition of the same rows safe, and orders them."""
        body = {"sessionId": session_id, "sequence": sequence, "products": products}
        return self._post("/batch/push", body, Accepted, also=_UNPROCESSABLE, key=f"{session_id}-{sequence}")

    def complete(self, session_id: str) -> None:
        self._post("/batch/complete", {"sessionId": session_id}, dict)

    def cancel(self, session_id: str) -> None:
        self._post(f"/batch/{session_id}/cancel", {}, dict)

    def status(self, session_id: str) -> Status:
        return self._decode(self._ask("GET", f"/batch/{session_id}/status"), Status)

    def rejected(self, session_id: str) -> Iterator[RejectedRow]:
        return self._pages(f"/batch/{session_id}/errors", {}, Page[RejectedRow])

    def displays(self, session_id: str, state: str) -> Iterator[BatchDisplay]:
        return self._pages(f"/batch/{session_id}/displays", {"state": state}, Page[BatchDisplay])

    def _pages(self, path: str, query: dict[str, str], form: type[Page[T]]) -> Iterator[T]:
        cursor: str | None = ""
        while cursor is not None:
            page = self._decode(self._ask("GET", path, query={**query, **({"cursor": cursor} if cursor else {})}), form)
            yield from page.data
            cursor = page.meta.next

    def _post(self, path: str, message: object, form: type[T], *, also: int = 0, key: str | None = None) -> T:
        headers = {"content-type": "application/json"} | ({"idempotency-key": key} if key else {})
        answer = self._ask("POST", path, body=msgspec.json.encode(message), headers=headers, also=also)
        return self._decode(answer, form)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        also: int = 0,
    ) -> httpx.Response:
        """The answer, once there is one; raises RefusedError for one that is neither a success nor `also`."""
        give_up = time.monotonic() + self._patience
        wait = _FIRST_WAIT
        while True:
            try:
                answer = self._client.request(method, path, content=body, headers=headers, params=query)
            except httpx.TransportError as error:
                trouble, asked_wait = f"{self._url} does not answer: {error or type(error).__name__}.", 0.0
            else:
                if answer.is_success or answer.status_code == also:
                    return answer
                trouble, asked_wait = _detail(answer), _retry_after(answer)
                if answer.status_code not in _BUSY:
                    raise RefusedError(trouble, answer.status_code)
            pause = min(max(wait, asked_wait), max(0.0, give_up - time.monotonic()))
            if not pause:
                raise RefusedError(f"Given up after {self._patience:g} s: {trouble}")
            self._tell(f"{trouble} Trying again …")
            time.sleep(pause)
            wait = min(2 * wait, _LONGEST_WAIT)

    def _decode(self, answer: httpx.Response, form: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.content, type=form)
        except msgspec.DecodeError as error:
            raise RefusedError(f"{self._url} does not answer as Shelfcast does: {error}.") from None


def _detail(answer: httpx.Response) -> str:
    try:
        return f"{msgspec.json.decode(answer.content, type=Fault).detail} (HTTP {answer.status_code})"
    except msgspec.DecodeError:
        return f"It answered HTTP {answer.status_code} {answer.reason_phrase}."


def _retry_after(answer: httpx.Response) -> float:
    try:
        return float(answer.headers.get("retry-after", "0"))
    except ValueError:  # a date; our own API sends seconds
        return 0.0
