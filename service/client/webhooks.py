"""Endpoints that are told of what happens, and what was posted to them."""

from collections.abc import Iterator, Mapping
from typing import Any

from service.client.transport import Transport
from service.messages import Page
from service.messages.webhooks import (
    Webhook,
    WebhookDelivery,
    WebhookDeliveryDetail,
    WebhookEvent,
    WebhookSecret,
    WebhookTested,
)


class Webhooks:
    """Raises RefusedError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_webhooks(self) -> Iterator[Webhook]:
        return self._transport.pages("/webhooks", Page[Webhook])

    def create_webhook(self, new: Mapping[str, Any]) -> WebhookSecret:
        """`new`: url and kinds, and perhaps a store and a description; the secret is shown this once."""
        return self._transport.send("POST", "/webhooks", new, WebhookSecret, repeat=False)

    def get_webhook(self, webhook_id: str) -> Webhook:
        return self._transport.get(f"/webhooks/{webhook_id}", Webhook)

    def change_webhook(self, webhook_id: str, changes: Mapping[str, Any]) -> Webhook:
        return self._transport.send("PATCH", f"/webhooks/{webhook_id}", changes, Webhook)

    def remove_webhook(self, webhook_id: str) -> None:
        self._transport.ask("DELETE", f"/webhooks/{webhook_id}")

    def rotate_webhook(self, webhook_id: str) -> WebhookSecret:
        """A new secret; the old one signs too for a while."""
        return self._transport.send("POST", f"/webhooks/{webhook_id}/rotate", {}, WebhookSecret, repeat=False)

    def test_webhook(self, webhook_id: str) -> WebhookTested:
        return self._transport.send("POST", f"/webhooks/{webhook_id}/test", {}, WebhookTested, repeat=False)

    def list_deliveries(self, webhook_id: str, **filters: str | int | None) -> Iterator[WebhookDelivery]:
        return self._transport.pages(f"/webhooks/{webhook_id}/deliveries", Page[WebhookDelivery], **filters)

    def get_delivery(self, delivery_id: str) -> WebhookDeliveryDetail:
        return self._transport.get(f"/deliveries/{delivery_id}", WebhookDeliveryDetail)

    def redeliver(self, delivery_id: str) -> WebhookDelivery:
        return self._transport.send("POST", f"/deliveries/{delivery_id}/redeliver", {}, WebhookDelivery, repeat=False)

    def list_events(self, **filters: str | int | None) -> Iterator[WebhookEvent]:
        return self._transport.pages("/events", Page[WebhookEvent], **filters)
