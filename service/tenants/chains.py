"""A chain's stores, for tokens: those within reach are listed, shown, made and changed.

A chain makes its stores itself, live ones too: whoever holds a chain's token was given it by the operator at a shell.
What a sandbox's integration has to prove before it gets a live token is another matter (`onboarding`).
"""

from typing import Annotated, Any

import msgspec

from service.auditing import by, note
from service.context import Shelfcast
from service.core.actions import Action
from service.errors import ConflictError, ForbiddenError
from service.messages import Page, Window, time
from service.messages.tenants import Environment
from service.messages.tenants import Store as StoreMessage
from service.paging import decode, page, shallow
from service.store import products, templates, tenants
from service.store.database import Connection
from service.store.tenants import Store, Token
from service.tenants.callers import reached
from service.tenants.stores import NewStore, create_store, refuse_faults

_Slug = Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,63}$")]
DRAWN = ("timezone", "locale")
"""What labels depend on: where one changes, the store's displays are planned anew."""


class StoreChange(msgspec.Struct, frozen=True, kw_only=True):
    """What of a store is to be another; what is UNSET stays."""

    name: str | msgspec.UnsetType | None = msgspec.UNSET
    currency: str | msgspec.UnsetType = msgspec.UNSET
    timezone: str | msgspec.UnsetType = msgspec.UNSET
    locale: str | msgspec.UnsetType = msgspec.UNSET


async def listing(
    ctx: Shelfcast, user: Token, environment: Environment | None, search: str | None, window: Window
) -> Page[StoreMessage]:
    """By slug. `search`: within slug or name, whatever the case."""
    after = decode(window.cursor, _Slug)
    async with ctx.db.read() as conn:
        found, total = await tenants.stores_page(
            conn,
            user.organisation_id,
            only=None if user.store is None else user.store.id,
            environment=environment,
            among=None if search is None else await _matching(conn, user.organisation_id, search),
            after=after,
            offset=shallow(window),
            limit=window.per_page + 1,
        )
    shown = found[: window.per_page]
    more = shown[-1].slug if len(found) > len(shown) else None
    return page(window, [message(store) for store in shown], more, total)


async def _matching(conn: Connection, organisation_id: int, search: str) -> list[int]:
    """Compared here, since SQLite folds the case of ASCII alone; a chain has thousands of stores and not more."""
    wanted = search.casefold()
    names = await tenants.store_names(conn, organisation_id)
    return [key for key, slug, name in names if wanted in f"{slug}\n{name or slug}".casefold()]


async def one(ctx: Shelfcast, user: Token, named: str) -> StoreMessage:
    async with ctx.db.read() as conn:
        return message(await reached(conn, user, named))


async def create(ctx: Shelfcast, user: Token, new: NewStore) -> StoreMessage:
    """Raises ForbiddenError for the token of a store, ValidationError and ConflictError as `stores.create_store`."""
    if user.store is not None:
        raise ForbiddenError("This token is a store's; a chain's token makes stores.")
    new = msgspec.structs.replace(new, organisation=user.organisation)
    return message(await create_store(ctx, new, by(user)))


async def change(ctx: Shelfcast, user: Token, named: str, wanted: StoreChange) -> StoreMessage:
    """Raises ConflictError for another currency where the store has products: their prices would become wrong."""
    now = ctx.clock()

    async def work(conn: Connection) -> Store:
        store = await reached(conn, user, named)
        await products.lock_store(conn, store.id)
        store = await _fresh(conn, store)
        columns = _columns(store, wanted)
        refuse_faults(_faults(store, columns), "The store cannot be changed: ")
        if "currency" in columns and await tenants.has_products(conn, store.id):
            raise ConflictError(
                f"Store {store.slug} has products with prices in {store.currency}; make another store for"
                f" {columns['currency']}.",
                {"currency": "cannot change once the store has products"},
            )
        if not columns:
            return store
        await tenants.set_store(conn, store.id, **columns)
        if columns.keys() & set(DRAWN):
            await templates.redraw(conn, store.id)
        was = {name: [getattr(store, name), value] for name, value in columns.items()}
        await note(conn, by(user), now, Action.STORE_CHANGED, store.ulid, store.slug, changes=was)
        return await _fresh(conn, store)

    return message(await ctx.db.write(work))


async def _fresh(conn: Connection, store: Store) -> Store:
    found = await tenants.store_of_organisation(conn, store.organisation_id, store.ulid)
    return store if found is None else found


def _columns(store: Store, wanted: StoreChange) -> dict[str, Any]:
    """What is another now."""
    given = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
    given = {name: value for name, value in given.items() if value is not msgspec.UNSET}
    if "locale" in given:
        given["locale"] = given["locale"].replace("_", "-")
    return {name: value for name, value in given.items() if value != getattr(store, name)}


def _faults(store: Store, columns: dict[str, Any]) -> dict[str, str]:
    as_it_would_be = {name: getattr(store, name) for name in ("slug", "currency", "timezone", "locale", "name")}
    return NewStore(**as_it_would_be | columns).faults()


def message(store: Store) -> StoreMessage:
    return StoreMessage(
        id=store.ulid,
        slug=store.slug,
        name=store.name or store.slug,
        organisation=store.organisation,
        environment="sandbox" if store.environment == "sandbox" else "live",
        currency=store.currency,
        timezone=store.timezone,
        locale=store.locale,
        created_at=time(store.created_at),
    )
