"""Gateways of one store, its batches and their guards."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from service.client.transport import Transport
from service.messages import Page
from service.messages.batches import Batch, BatchEntry, Guards, Retried
from service.messages.gateways import Gateway, GatewayStatus


class Gateways:
    """Raises RefusedError. A gateway is named by its id or its name."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_gateways(self, **filters: str | int | None) -> Iterator[Gateway]:
        return self._transport.pages("/gateways", Page[Gateway], **filters)

    def add_gateway(self, new: Mapping[str, Any]) -> GatewayStatus:
        """`new`: name, driver, config; it is opened once before it is saved."""
        return self._transport.send("POST", "/gateways", new, GatewayStatus, repeat=False)

    def get_gateway(self, gateway: str) -> GatewayStatus:
        return self._transport.get(_path(gateway), GatewayStatus)

    def change_gateway(self, gateway: str, changes: Mapping[str, Any]) -> GatewayStatus:
        return self._transport.send("PATCH", _path(gateway), changes, GatewayStatus)

    def retire_gateway(self, gateway: str) -> GatewayStatus:
        return self._transport.send("POST", _path(gateway, "/retire"), {}, GatewayStatus)

    def begin_maintenance(self, gateway: str, reason: str) -> GatewayStatus:
        return self._transport.send("POST", _path(gateway, "/maintenance"), {"reason": reason}, GatewayStatus)

    def end_maintenance(self, gateway: str) -> GatewayStatus:
        answer = self._transport.ask("DELETE", _path(gateway, "/maintenance"))
        return msgspec.json.decode(answer.content, type=GatewayStatus)


class Batches:
    """Raises RefusedError. What the feed's own token may ask about its batch is `Feed`'s."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_batches(self, **filters: str | int | None) -> Iterator[BatchEntry]:
        """Filters as `GET /batches` has them: status, reference, mode, from, to."""
        return self._transport.pages("/batches", Page[BatchEntry], **filters)

    def get_batch(self, session_id: str) -> Batch:
        return self._transport.get(f"/batches/{session_id}", Batch)

    def retry_batch(self, session_id: str) -> Retried:
        """Drive its unconfirmed displays again at once."""
        return self._transport.send("POST", f"/batches/{session_id}/retry", {}, Retried)

    def release_batch(self, session_id: str) -> Batch:
        """Let a batch that a guard holds go on."""
        return self._transport.send("POST", f"/batches/{session_id}/release", {}, Batch)

    def cancel_held_batch(self, session_id: str) -> Batch:
        return self._transport.send("POST", f"/batches/{session_id}/cancel", {}, Batch)

    def get_guards(self) -> Guards:
        return self._transport.get("/guards", Guards)

    def change_guards(self, changes: Mapping[str, float]) -> Guards:
        return self._transport.send("PATCH", "/guards", changes, Guards)


def _path(gateway: str, rest: str = "") -> str:
    return f"/gateways/{quote(gateway, safe='')}{rest}"
