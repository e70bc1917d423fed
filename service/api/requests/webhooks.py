"""What the operations about webhooks take; their bodies are in `service.messages.webhooks`."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from service.api.requests import ListQuery
from service.messages.webhooks import Kind, NewWebhook, State, Store, WebhookChange


class DeliveriesQuery(ListQuery):
    """Which deliveries of an endpoint."""

    state: Annotated[State, Meta(description="Only those in this state.")] | None = None
    kind: Annotated[Kind, Meta(description="Only events of this kind.")] | None = None


_TIME = {"examples": ["2026-11-22T06:30:00Z"]}


class EventsQuery(ListQuery):
    """Which events."""

    store: Annotated[Store, Meta(description="Slug or ULID; only events of this store.")] | None = None
    kind: Annotated[Kind, Meta(description="Only events of this kind.")] | None = None
    since: Annotated[datetime, Meta(tz=True, description="From this time on.", extra_json_schema=_TIME)] | None = None
    until: Annotated[datetime, Meta(tz=True, description="Before this time.", extra_json_schema=_TIME)] | None = None


new_decoder = msgspec.json.Decoder(NewWebhook)
change_decoder = msgspec.json.Decoder(WebhookChange)
