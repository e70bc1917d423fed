"""Setting up a store: whose and what it is, and which gateways reach its displays."""

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

from service.auditing import SHELL, Who, note
from service.context import Shelfcast
from service.core.actions import Action
from service.errors import ConflictError, NotFoundError, ValidationError
from service.ids import new_id
from service.store import tenants
from service.store.database import Connection
from service.store.tenants import Gateway, Organisation, Store

ORGANISATION = "default"
"""The organisation of installations that serve one; made with its first store."""

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LOCALE = re.compile(r"[a-z]{2,3}(?:[-_][A-Z][a-z]{3})?(?:[-_](?:[A-Z]{2}|[0-9]{3}))?")
_STORE_NAME_LIMIT = 100


class NewStore(msgspec.Struct, frozen=True, kw_only=True):
    """What a store is made of.

    Attributes:
        slug: Lower-case letters, digits and hyphens, up to 63; unique in the installation.
        currency: ISO 4217 letters; the feed's prices are in it.
        timezone: IANA name; sales start and end by its clocks.
        locale: As BCP 47 writes it, such as `hr` or `de-AT`; how the displays write prices.
        sandbox: For development: simulated displays, and tokens that cannot be mistaken for live ones.
        name: As people call it; None: its slug.
        organisation: Slug of the chain that owns it.
    """

    slug: str
    currency: str = "EUR"
    timezone: str = "UTC"
    locale: str = "en"
    sandbox: bool = False
    name: str | None = None
    organisation: str = ORGANISATION

    def faults(self) -> dict[str, str]:
        """Field -> what is wrong with it."""
        checks = {
            "slug": (
                _SLUG.fullmatch(self.slug),
                "1 to 63 lower-case letters, digits and hyphens, such as zagreb-0901, no hyphen at either end",
            ),
            "currency": (_CURRENCY.fullmatch(self.currency), "the three capital letters of ISO 4217, such as EUR"),
            "timezone": (_is_timezone(self.timezone), "an IANA time zone, such as Europe/Zagreb"),
            "locale": (_LOCALE.fullmatch(self.locale), "a language and perhaps a country, such as hr or de-AT"),
            "name": (is_name(self.name), f"1 to {_STORE_NAME_LIMIT} printable characters"),
        }
        return {
            field: f"{getattr(self, field)!r} is not {form}." for field, (right, form) in checks.items() if not right
        }


def is_name(name: str | None) -> bool:
    return name is None or (0 < len(name.strip()) <= len(name) <= _STORE_NAME_LIMIT and name.isprintable())


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a path that may be looked up, a folder of zones
        return False
    return True


async def create_store(ctx: Shelfcast, new: NewStore, who: Who | None = None, *, by: str = SHELL) -> Store:
    """Make a store; raises ValidationError with every fault, ConflictError if the slug is taken.

    `who`: on whose word; None: at a shell, by `by`.
    """
    refuse_faults(new.faults(), "The store cannot be made: ")
    now = ctx.clock()

    async def work(conn: Connection) -> Store:
        if await tenants.find_store(conn, new.slug):
            raise ConflictError(f"There is a store {new.slug} already; take another slug.", {"slug": "is taken"})
        owner = await _organisation(conn, new.organisation, now)
        row = {
            "ulid": new_id(),
            "organisation_id": owner.id,
            "slug": new.slug,
            "name": None if new.name is None else new.name.strip(),
            "environment": "sandbox" if new.sandbox else "live",
            "currency": new.currency,
            "timezone": new.timezone,
            "locale": new.locale.replace("_", "-"),
            "created_at": now,
        }
        store_id = await tenants.insert_store(conn, row)
        made = await known_store(conn, new.slug)
        by_whom = who or Who(owner.id, store_id, by)
        described = {field: row[field] for field in ("environment", "currency", "timezone", "locale")}
        await note(conn, by_whom, now, Action.STORE_CREATED, made.ulid, made.slug, **described)
        return made

    return await ctx.db.write(work)


def refuse_faults(faults: Mapping[str, str], what: str) -> None:
    """Raise ValidationError with all of them, if there are any."""
    if faults:
        raise ValidationError(what + " ".join(faults.values()), fields=faults)


async def _organisation(conn: Connection, slug: str, now: int) -> Organisation:
    """The default one is made by whoever needs it first."""
    if slug == ORGANISATION and await tenants.find_organisation(conn, slug) is None:
        return await tenants.insert_organisation(conn, slug, slug, new_id(), now)
    return await known_organisation(conn, slug)


async def create_organisation(ctx: Shelfcast, slug: str, name: str | None = None, *, by: str = SHELL) -> Organisation:
    """Make a chain; raises ValidationError for a slug or a name that cannot be, ConflictError for a taken slug."""
    faults: dict[str, str] = {}
    if not _SLUG.fullmatch(slug):
        faults["slug"] = f"{slug!r} is not 1 to 63 lower-case letters, digits and hyphens."
    if not is_name(name):
        faults["name"] = f"{name!r} is not 1 to {_STORE_NAME_LIMIT} printable characters."
    refuse_faults(faults, "The organisation cannot be made: ")
    now = ctx.clock()

    async def work(conn: Connection) -> Organisation:
        if await tenants.find_organisation(conn, slug):
            raise ConflictError(f"There is an organisation {slug} already; take another slug.")
        made = await tenants.insert_organisation(conn, slug, (name or slug).strip(), new_id(), now)
        await note(
            conn, Who(made.id, None, by), now, Action.ORGANISATION_CREATED, made.ulid, made.slug, title=made.name
        )
        return made

    return await ctx.db.write(work)


async def organisations(ctx: Shelfcast) -> list[tuple[Organisation, int]]:
    """By slug, each with how many stores it has."""
    async with ctx.db.read() as conn:
        return await tenants.all_organisations(conn)


async def known_organisation(conn: Connection, slug: str) -> Organisation:
    found = await tenants.find_organisation(conn, slug)
    if found is None:
        raise NotFoundError(
            f"There is no organisation {slug}; shelfcast organisation list shows them, organisation create makes one."
        )
    return found


async def known_store(conn: Connection, slug: str) -> Store:
    store = await tenants.find_store(conn, slug)
    if store is None:
        raise NotFoundError(f"There is no store {slug}; shelfcast store list shows them, store create makes one.")
    return store


async def store_id_of(ctx: Shelfcast, slug: str) -> int:
    """Raises NotFoundError if there is no such store."""
    async with ctx.db.read() as conn:
        return (await known_store(conn, slug)).id


async def stores(ctx: Shelfcast) -> list[Store]:
    async with ctx.db.read() as conn:
        return await tenants.all_stores(conn)


async def gateways(ctx: Shelfcast, store: str) -> list[Gateway]:
    """The store's gateways, retired ones too, by name."""
    async with ctx.db.read() as conn:
        return await tenants.gateways_of(conn, (await known_store(conn, store)).id)
