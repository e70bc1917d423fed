"""What the API answers about chains, stores, tokens, the way to production, and itself."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from service.messages import Message, Time, Ulid

Environment = Literal["sandbox", "live"]


class Store(Message, frozen=True, kw_only=True):
    """A store. Where a path or a query names one, its slug and its id do alike."""

    id: Ulid
    slug: str
    name: str
    organisation: str
    environment: Environment
    currency: str
    timezone: str
    locale: str
    created_at: Time


class Token(Message, frozen=True, kw_only=True):
    """A token: everything but itself. `store` is null for a chain's, which reaches every store of it.

    After a rotation `replaces` is the id of the token that this one took the place of.
    """

    id: Ulid
    name: str
    prefix: Annotated[str, Meta(description="How it begins, by which people know it again.")]
    organisation: str
    store: str | None
    scopes: list[str]
    plan: str
    active: bool
    created_at: Time
    created_by: str | None
    expires_at: Time | None
    revoked_at: Time | None
    last_used_at: Annotated[Time | None, Meta(description="To the minute.")]
    replaces: Ulid | None


class IssuedToken(Token, frozen=True, kw_only=True):
    """A new token, with the token itself: here, and nowhere else ever again."""

    token: str


class RotatedToken(IssuedToken, frozen=True, kw_only=True):
    """The successor, shown this once, and how its predecessor ends."""

    previous: Token


class Organisation(Message, frozen=True, kw_only=True):
    """Whose the token is, what it may do, and until when.

    `scopes` are as they were given; `allowed` is everything that they come to.
    """

    id: Ulid
    slug: str
    name: str
    created_at: Time
    token: Token
    allowed: list[str]


class SimulatedDisplay(Message, frozen=True, kw_only=True):
    """One simulated display, and what it shows."""

    address: str
    panel: str
    barcode: str | None


class Simulation(Message, frozen=True, kw_only=True):
    """The simulated displays of a sandbox store, at a gateway of their own."""

    store: str
    gateway: str
    displays: list[SimulatedDisplay]


class ChecklistItem(Message, frozen=True, kw_only=True):
    """One thing that an integration has to have done: what, whether, what was seen, and how to do it."""

    key: str
    what: str
    done: bool
    seen: str | None
    count: int
    last_at: Time | None
    how: str


class ProductionRequest(Message, frozen=True, kw_only=True):
    """One request for a production token. `reason` is why it was refused; `liveStore` what the token is for."""

    id: Ulid
    state: Literal["open", "granted", "refused"]
    contact: str
    note: str | None
    requested_at: Time
    requested_by: str
    decided_at: Time | None
    reason: str | None
    live_store: str | None
    fetchable: Annotated[bool, Meta(description="Whether the token waits to be fetched, once, by this store's token.")]
    fetched_at: Time | None


class Production(Message, frozen=True, kw_only=True):
    """How far the sandbox's integration is on its way to production; `request` is the newest one."""

    store: str
    complete: bool
    checklist: list[ChecklistItem]
    request: ProductionRequest | None


class Endpoint(Message, frozen=True, kw_only=True):
    """One operation; any of its scopes is enough for it, none are needed where there are none."""

    method: str
    path: str
    operation_id: str
    summary: str
    scopes: list[str]


class Discovery(Message, frozen=True, kw_only=True):
    """What answers here."""

    name: str
    version: str
    documentation: str
    openapi: str
    endpoints: list[Endpoint]


class AuditEntry(Message, frozen=True, kw_only=True):
    """One change that somebody made through the management API or at a shell."""

    id: str
    at: Time
    store: Annotated[str | None, Meta(description="Slug; null: the chain's own affairs.")]
    actor: Annotated[str, Meta(description="As people read it.", examples=["token ERP", "command line, anna"])]
    token_id: Annotated[str | None, Meta(description="null: at a shell.")]
    action: Annotated[str, Meta(examples=["gateway.changed"])]
    subject: Annotated[str | None, Meta(description="Id of what was changed.")]
    name: Annotated[str | None, Meta(description="What people called it then.")]
    detail: Annotated[dict[str, Any], Meta(description="What it was and is; never a secret.")]
    request_id: Annotated[str | None, Meta(description="X-Request-ID of the request that did it.")]
