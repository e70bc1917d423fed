"""Setting up a store: who it is, and the gateways that reach its displays."""

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

from service.context import Shelfcast
from service.errors import ConflictError, NotFoundError, ValidationError
from service.ids import new_id
from service.store import tenants
from service.store.database import Connection
from service.store.tenants import Gateway, Store

ORGANISATION = "default"
"""The organisation of installations that serve one; made with its first store."""

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LOCALE = re.compile(r"[a-z]{2,3}(?:[-_][A-Z][a-z]{3})?(?:[-_](?:[A-Z]{2}|[0-9]{3}))?")


class NewStore(msgspec.Struct, frozen=True, kw_only=True):
    """What a store is made of.

    Attributes:
        slug: Lower-case letters, digits and hyphens, up to 63; unique in the installation.
        currency: ISO 4217 letters; the feed's prices are in it.
        timezone: IANA name; sales start and end by its clocks.
        locale: As BCP 47 writes it, such as `hr` or `de-AT`; how the displays write prices.
        sandbox: For development: simulated displays, and tokens that cannot be mistaken for live ones.
    """

    slug: str
    currency: str = "EUR"
    timezone: str = "UTC"
    locale: str = "en"
    sandbox: bool = False

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
        }
        return {
            field: f"{getattr(self, field)!r} is not {form}." for field, (right, form) in checks.items() if not right
        }


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a path that may be looked up, a folder of zones
        return False
    return True


async def create_store(ctx: Shelfcast, new: NewStore) -> Store:
    """Make a store; raises ValidationError with every fault, ConflictError if the slug is taken."""
    faults = new.faults()
    if faults:
        raise ValidationError("The store cannot be made: " + " ".join(faults.values()), fields=faults)
    now = ctx.clock()

    async def work(conn: Connection) -> Store:
        if await tenants.find_store(conn, new.slug):
            raise ConflictError(f"There is a store {new.slug} already; take another slug.")
        row = {
            "ulid": new_id(),
            "organisation_id": await tenants.organisation(conn, ORGANISATION, new_id(), now),
            "slug": new.slug,
            "environment": "sandbox" if new.sandbox else "live",
            "currency": new.currency,
            "timezone": new.timezone,
            "locale": new.locale.replace("_", "-"),
            "created_at": now,
        }
        await tenants.insert_store(conn, row)
        return await known_store(conn, new.slug)

    return await ctx.db.write(work)


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


async def add_gateway(
    ctx: Shelfcast,
    store: str,
    name: str,
    driver: str,
    config: Mapping[str, str],
    *,
    check: bool = True,
    by: str = "command line",
) -> Gateway:
    """As `gateway_setup.add`, for whoever is at the shell of this machine."""
    from service import auditing, gateway_setup  # noqa: PLC0415 - who asks by a token has to be told its store

    async with ctx.db.read() as conn:
        owner = await known_store(conn, store)
    who = auditing.Who(owner.organisation_id, owner.id, by)
    new = gateway_setup.New(name=name, driver=driver, config=config, check=check)
    added = await gateway_setup.add(ctx, owner.id, who, new)
    return next(gateway for gateway in await gateways(ctx, store) if gateway.id == added)


async def gateways(ctx: Shelfcast, store: str) -> list[Gateway]:
    """The store's gateways, retired ones too, by name."""
    async with ctx.db.read() as conn:
        return await tenants.gateways_of(conn, (await known_store(conn, store)).id)
