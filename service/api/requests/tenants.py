"""What the API takes about stores, tokens and the way to production."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from service.api.requests import ListQuery
from service.core.scopes import ROLES, Scope
from service.errors import ValidationError
from service.messages.tenants import Environment
from service.tenants.chains import StoreChange
from service.tenants.sandboxes import MOST_DISPLAYS
from service.tenants.stores import NewStore
from service.tenants.tokens import OVERLAP, Wanted

_PRINTABLE = r"^(?![\s\S]*[\u0000-\u001f\u007f])"
_LONGEST_OVERLAP = 30 * 24 * 3600

StoreName = Annotated[
    str, Meta(pattern="^[0-9A-Za-z-]{1,63}$", description="Slug or ULID of a store.", examples=["zagreb-0901"])
]
Slug = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        description="Lower-case letters, digits and hyphens; unique in the installation.",
        examples=["zagreb-0901"],
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=_PRINTABLE, description="As people call it.")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217; the feed's prices are in it.")]
Timezone = Annotated[
    str, Meta(min_length=1, max_length=64, description="IANA name; sales start and end by its clocks.")
]
Locale = Annotated[
    str, Meta(min_length=2, max_length=16, description="How displays write prices, such as hr or de-AT.")
]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset.")]
Plan = Annotated[
    str,
    Meta(pattern="^[a-z][a-z0-9_-]{0,31}$", description="How often it may ask: unlimited, or a plan of the settings."),
]
Role = Literal["pos", "viewer", "staff", "manager", "admin"]


class CreateStore(msgspec.Struct):
    """A store to be made."""

    slug: Slug
    environment: Annotated[
        Environment, Meta(description="sandbox: for development, with simulated displays and tokens sc_test_….")
    ]
    name: Name | None = None
    currency: Currency = "EUR"
    timezone: Timezone = "UTC"
    locale: Locale = "en"

    def new(self) -> NewStore:
        return NewStore(
            slug=self.slug,
            name=self.name,
            currency=self.currency,
            timezone=self.timezone,
            locale=self.locale,
            sandbox=self.environment == "sandbox",
        )


class ChangeStore(msgspec.Struct):
    """What of a store is to be another; what is left out stays. A name of null: its slug."""

    name: Name | UnsetType | None = UNSET
    currency: Currency | UnsetType = UNSET
    timezone: Timezone | UnsetType = UNSET
    locale: Locale | UnsetType = UNSET

    def change(self) -> StoreChange:
        return StoreChange(name=self.name, currency=self.currency, timezone=self.timezone, locale=self.locale)


class Simulate(msgspec.Struct):
    """Which simulated displays a sandbox store is to have."""

    displays: Annotated[int, Meta(ge=1, le=MOST_DISPLAYS, description="How many, in all.")] = 20
    barcodes: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=64, pattern="^[!-~]+$")]],
        Meta(
            max_length=MOST_DISPLAYS, description="Products that the first displays show; no feed needs to know them."
        ),
    ] = []


class StoresQuery(ListQuery):
    """Which stores."""

    environment: Annotated[Environment, Meta(description="Only these.")] | None = None
    search: (
        Annotated[str, Meta(min_length=1, max_length=100, pattern=_PRINTABLE, description="Within slug or name.")]
        | None
    ) = None


class TokensQuery(ListQuery):
    """Which tokens."""

    store: Annotated[StoreName, Meta(description="Only this store's.")] | None = None
    active: Annotated[bool, Meta(description="false: only expired and revoked ones.")] | None = None


class IssueToken(msgspec.Struct, rename="camel"):
    """A token to be issued: never more than the one that asks has itself."""

    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=100,
            pattern=_PRINTABLE,
            description="Of the system that will use it; unique among the active ones of its store or chain.",
        ),
    ]
    store: Annotated[StoreName, Meta(description="Whose it is. Left out: whose the asking one is.")] | None = None
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=32, description="This or a role.")] | None = None
    role: Annotated[Role, Meta(description="A name for usual scopes; the token keeps the scopes.")] | None = None
    plan: Annotated[Plan, Meta(description="How often it may ask. Left out: as often as the asking one.")] | None = None
    expires_at: Annotated[Moment, Meta(description="Left out: never, or as the asking one.")] | None = None

    def wanted(self, plan: str) -> Wanted:
        """Raises ValidationError unless there are either scopes or a role."""
        if (self.scopes is None) == (self.role is None):
            reason = "is needed, or a role, and not both"
            raise ValidationError("Say what the token may do, by scopes or by a role.", {"scopes": reason})
        scopes = ROLES[self.role] if self.role is not None else tuple(dict.fromkeys(self.scopes or ()))
        return Wanted(name=self.name, scopes=scopes, plan=self.plan or plan, expires_at=milliseconds(self.expires_at))


class RotateToken(msgspec.Struct, rename="camel"):
    """How a token is to be rotated; may be left out."""

    overlap: Annotated[
        int,
        Meta(ge=0, le=_LONGEST_OVERLAP, description="Seconds for which the old token goes on; 0: it ends at once."),
    ] = OVERLAP
    expires_at: Annotated[Moment, Meta(description="Of the new one. Left out: as the old one.")] | None = None


class AskProduction(msgspec.Struct):
    """Whom the operator answers, and what they should know."""

    contact: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=_PRINTABLE,
            description="Where the operator reaches a person.",
            examples=["integration@pos.example"],
        ),
    ]
    note: (
        Annotated[
            str, Meta(max_length=2000, pattern=r"^(?![\s\S]*\u0000)", description="What the operator should know.")
        ]
        | None
    ) = None


def milliseconds(moment: datetime | None) -> int | None:
    """Since the epoch. Raises ValidationError for what no calendar has in UTC."""
    if moment is None:
        return None
    try:
        return int(moment.astimezone(UTC).timestamp() * 1000)
    except OverflowError:
        raise ValidationError("The time is beyond what can be kept.", {"expiresAt": "is beyond the calendar"}) from None
