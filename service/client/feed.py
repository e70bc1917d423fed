"""The feed API from a POS's side: pushes that are safe to repeat, repeated until they are through."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from service.client.transport import Transport
from service.messages import Accepted, BatchDisplay, Completing, Page, RejectedRow, Session, Status

ROWS_A_PUSH = 1000
_UNPROCESSABLE = 422


class Feed:
    """Products, and batches of them, of the token's own store. Raises RefusedError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def add_products(self, products: Sequence[dict[str, Any]]) -> Accepted:
        """Add or replace up to 1,000 products; the answer says what became of each."""
        return self._transport.send("POST", "/add", products, Accepted, also=_UNPROCESSABLE)

    def update_products(self, products: Sequence[dict[str, Any]]) -> Accepted:
        """Change fields of up to 1,000 products; the answer says what became of each."""
        return self._transport.send("POST", "/productUpdate", products, Accepted, also=_UNPROCESSABLE)

    def start_batch(
        self, reference: str | None = None, mode: Literal["merge", "full"] = "merge", expected: int | None = None
    ) -> Session:
        expects = {} if expected is None else {"expectedProducts": expected}
        message = {"reference": reference, "mode": mode, **expects}
        return self._transport.send("POST", "/batch/start", message, Session)

    def push_batch(self, session_id: str, sequence: int, products: Sequence[dict[str, Any]]) -> Accepted:
        """Push up to 1,000 rows; `sequence` makes a repetition of the same rows safe, and orders them."""
        message = {"sessionId": session_id, "sequence": sequence, "products": products}
        key = f"{session_id}-{sequence}"
        return self._transport.send("POST", "/batch/push", message, Accepted, also=_UNPROCESSABLE, key=key)

    def complete_batch(self, session_id: str) -> Completing:
        return self._transport.send("POST", "/batch/complete", {"sessionId": session_id}, Completing)

    def cancel_batch(self, session_id: str) -> Status:
        return self._transport.send("POST", f"/batch/{session_id}/cancel", {}, Status)

    def get_batch_status(self, session_id: str) -> Status:
        return self._transport.get(f"/batch/{session_id}/status", Status)

    def list_rejected_rows(self, session_id: str) -> Iterator[RejectedRow]:
        return self._transport.pages(f"/batch/{session_id}/errors", Page[RejectedRow])

    def list_batch_displays(self, session_id: str, state: str | None = None) -> Iterator[BatchDisplay]:
        return self._transport.pages(f"/batch/{session_id}/displays", Page[BatchDisplay], state=state)
