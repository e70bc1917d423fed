"""What the API answers about webhooks."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from service.messages import Message, Time

Kind = Literal[
    "batch.completed",
    "batch.held",
    "batch.failed",
    "display.confirmed",
    "display.overdue",
    "display.battery_low",
    "gateway.offline",
    "gateway.online",
    "product.rejected",
    "production.requested",
]
State = Literal["pending", "delivered", "failed"]
_EXAMPLE = "https://erp.example.com/shelfcast"


class Webhook(Message, frozen=True, kw_only=True):
    """An endpoint that is told of events.

    `kinds` null: every kind. `store`: its slug, null for all stores of the chain. `disabledReason` says why it is not
    enabled; what happens in that time is not kept for it. `failingSince`: since then nothing was delivered.
    `oldSecretUntil`: after a rotation the old secret signs too until then.
    """

    id: str
    url: str
    kinds: list[Kind] | None
    description: str | None
    store: str | None
    enabled: bool
    disabled_at: Time | None
    disabled_reason: str | None
    failing_since: Time | None
    old_secret_until: Time | None
    created_at: Time
    created_by: str


class WebhookSecret(Webhook, frozen=True, kw_only=True):
    """The same with its secret, which is shown this once."""

    secret: Annotated[str, Meta(pattern="^whsec_[A-Za-z0-9+/]{43}=$")]


class WebhookTested(Message, frozen=True, kw_only=True):
    """What came of a test: what the receiver answered, or `error` says why nothing was."""

    delivered: bool
    webhook_id: str
    event_id: Annotated[str, Meta(description="The webhook-id that was sent.")]
    status: int | None
    error: str | None
    answer: Annotated[str, Meta(description="The first KiB of what the receiver answered.")]
    milliseconds: int


class WebhookEvent(Message, frozen=True, kw_only=True):
    """What happened; `data` as its kind has it."""

    id: Annotated[str, Meta(description="The webhook-id under which it is posted.")]
    kind: Kind
    store: str
    at: Time
    data: dict[str, Any]


class WebhookDelivery(Message, frozen=True, kw_only=True):
    """One event on its way to one endpoint. `status` and `error` are those of the last attempt."""

    id: str
    webhook_id: str
    event_id: str
    kind: Kind
    store: str
    state: State
    attempts: int
    created_at: Time
    next_attempt_at: Time | None
    closed_at: Time | None
    status: int | None
    error: str | None


class WebhookAttempt(Message, frozen=True, kw_only=True):
    """One attempt; `answer` is the first KiB of what the receiver answered."""

    at: Time
    status: int | None
    error: str | None
    answer: str
    milliseconds: int


class WebhookDeliveryDetail(WebhookDelivery, frozen=True, kw_only=True):
    """The same with all attempts and with the body that is posted."""

    log: list[WebhookAttempt]
    body: Annotated[str, Meta(description="The very text that is signed and posted.")]


# Foreign text that is stored and shown: PostgreSQL takes no NUL, and people no other control characters.
Line = Annotated[str, Meta(max_length=200, pattern=r"^(?![\s\S]*[\u0000-\u001f\u007f])", examples=["The ERP"])]
Url = Annotated[str, Meta(max_length=2000, description="HTTPS, without user name and fragment.", examples=[_EXAMPLE])]
Kinds = Annotated[list[Kind], Meta(min_length=1, max_length=50, description="null: every kind, also those to come.")]
Store = Annotated[str, Meta(max_length=63, description="Slug or ULID; null: all stores of the chain.")]


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that is to be made."""

    url: Url
    kinds: Kinds | None = None
    description: Line | None = None
    store: Store | None = None
    enabled: bool = True


class WebhookChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed of an endpoint; what is left out stays as it is."""

    url: Url | msgspec.UnsetType = msgspec.UNSET
    kinds: Kinds | msgspec.UnsetType | None = msgspec.UNSET
    description: Line | msgspec.UnsetType | None = msgspec.UNSET
    store: Store | msgspec.UnsetType | None = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET
