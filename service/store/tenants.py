"""Statements about organisations, stores, their tokens and gateways: who owns what, and who may ask."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, bindparam, func, insert, or_, select, update

from service.store.database import Connection, Record
from service.store.pages import counted, paged
from service.store.tables import gateways, organisations, products, store_sequences, stores, tokens


class Organisation(msgspec.Struct, frozen=True):
    """A chain, which owns stores."""

    id: int
    ulid: str
    slug: str
    name: str
    created_at: int


class Store(msgspec.Struct, frozen=True):
    """A store as it is kept; `organisation` is its slug."""

    id: int
    ulid: str
    organisation_id: int
    organisation: str
    slug: str
    environment: str
    currency: str
    timezone: str
    locale: str
    created_at: int
    name: str | None


class Token(msgspec.Struct, frozen=True):
    """A token as it is kept: everything but itself. Without a store it is the whole chain's."""

    id: str
    organisation_id: int
    organisation: str
    prefix: str
    name: str
    scopes: tuple[str, ...]
    plan: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None
    created_by: str | None
    replaces: str | None
    series: str | None
    store: Store | None

    @property
    def quota(self) -> str:
        """Whose requests are counted together: a token's, and those of all that it was rotated to."""
        return self.series or self.id

    def active(self, now: int) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Gateway(msgspec.Struct, frozen=True):
    """A gateway as it was configured; the secrets in `config` are sealed."""

    store_id: int
    id: str
    name: str
    driver: str
    config: dict[str, str]
    created_at: int
    retired_at: int | None = None
    unreachable_since: int | None = None
    error: str | None = None


_organisations = select(*(organisations.c[field] for field in Organisation.__struct_fields__))


async def find_organisation(conn: Connection, slug: str) -> Organisation | None:
    row = (await conn.execute(_organisations.where(organisations.c.slug == slug))).mappings().first()
    return None if row is None else Organisation(**row)


async def organisation_of(conn: Connection, organisation_id: int) -> Organisation:
    row = (await conn.execute(_organisations.where(organisations.c.id == organisation_id))).mappings().one()
    return Organisation(**row)


async def all_organisations(conn: Connection) -> list[tuple[Organisation, int]]:
    """By slug, each with how many stores it has."""
    count = select(func.count()).where(stores.c.organisation_id == organisations.c.id).scalar_subquery()
    rows = (await conn.execute(_organisations.add_columns(count.label("stores")).order_by(organisations.c.slug))).all()
    return [(Organisation(*row[:-1]), row[-1]) for row in rows]


async def insert_organisation(conn: Connection, slug: str, name: str, ulid: str, now: int) -> Organisation:
    new = insert(organisations).values(slug=slug, name=name, ulid=ulid, created_at=now)
    key = int((await conn.execute(new.returning(organisations.c.id))).scalar_one())
    return Organisation(key, ulid, slug, name, now)


async def lock_organisation(conn: Connection, organisation_id: int) -> None:
    """Hold its row to the end of the transaction."""
    held = select(organisations.c.id).where(organisations.c.id == organisation_id)
    await conn.execute(held.with_for_update(key_share=True))


_STORE = (
    stores.c.id,
    stores.c.ulid,
    stores.c.organisation_id,
    organisations.c.slug.label("organisation"),
    stores.c.slug,
    stores.c.environment,
    stores.c.currency,
    stores.c.timezone,
    stores.c.locale,
    stores.c.created_at,
    stores.c.name,
)
_TOKEN = (
    tokens.c.id,
    tokens.c.organisation_id,
    organisations.c.slug.label("chain"),
    tokens.c.prefix,
    tokens.c.name,
    tokens.c.scopes,
    tokens.c.plan,
    tokens.c.created_at,
    tokens.c.expires_at,
    tokens.c.revoked_at,
    tokens.c.last_used_at,
    tokens.c.created_by,
    tokens.c.replaces,
    tokens.c.series,
)
_decode_scopes = msgspec.json.Decoder(tuple[str, ...]).decode
_stores = select(*_STORE).join(organisations, organisations.c.id == stores.c.organisation_id)
_tokens = (
    select(*_TOKEN, *_STORE)
    .join(organisations, organisations.c.id == tokens.c.organisation_id)
    .outerjoin(stores, stores.c.id == tokens.c.store_id)
)
_TOKEN_BY_HASH = _tokens.where(tokens.c.hash == bindparam("digest"))  # made once: every request asks it


async def insert_store(conn: Connection, row: dict[str, object]) -> int:
    key = int((await conn.execute(insert(stores).values(**row).returning(stores.c.id))).scalar_one())
    await conn.execute(insert(store_sequences).values(store_id=key, received=0))
    return key


async def all_stores(conn: Connection) -> list[Store]:
    return [_store(row) for row in await conn.execute(_stores.order_by(stores.c.slug))]


async def find_store(conn: Connection, slug: str) -> Store | None:
    row = (await conn.execute(_stores.where(stores.c.slug == slug))).first()
    return None if row is None else _store(row)


async def store_of_organisation(conn: Connection, organisation_id: int, name: str) -> Store | None:
    """The organisation's store of this slug or ULID."""
    named = or_(stores.c.slug == name, stores.c.ulid == name)
    row = (await conn.execute(_stores.where(stores.c.organisation_id == organisation_id, named))).first()
    return None if row is None else _store(row)


async def stores_page(
    conn: Connection,
    organisation_id: int,
    *,
    only: int | None,
    environment: str | None,
    among: Iterable[int] | None,
    after: str | None,
    offset: int,
    limit: int,
) -> tuple[list[Store], int | None]:
    """Stores of an organisation by slug, and how many there are.

    `only`: no other than this one; `among`: of these, at most a page.
    """
    statement = _stores.where(stores.c.organisation_id == organisation_id)
    if only is not None:
        statement = statement.where(stores.c.id == only)
    if environment is not None:
        statement = statement.where(stores.c.environment == environment)
    if among is not None:
        statement = statement.where(stores.c.id.in_(list(among)))
    key = None if after is None else [after]
    rows = await conn.execute(paged(statement, [stores.c.slug], key, offset, limit))
    return [_store(row) for row in rows], await counted(conn, statement)


async def store_names(conn: Connection, organisation_id: int) -> list[tuple[int, str, str | None]]:
    """(Key, slug, name) of every store, by slug: what a search looks at."""
    statement = select(stores.c.id, stores.c.slug, stores.c.name).where(stores.c.organisation_id == organisation_id)
    return [(key, slug, name) for key, slug, name in await conn.execute(statement.order_by(stores.c.slug))]


async def set_store(conn: Connection, store_id: int, **columns: Any) -> None:
    await conn.execute(update(stores).where(stores.c.id == store_id).values(**columns))


async def has_products(conn: Connection, store_id: int) -> bool:
    """Whether it ever had one; what was archived has prices too."""
    statement = select(products.c.barcode).where(products.c.store_id == store_id).limit(1)
    return (await conn.execute(statement)).first() is not None


async def store_record(conn: Connection, store_id: int) -> Record:
    return (await conn.execute(select(stores).where(stores.c.id == store_id))).mappings().one()


async def set_guards(conn: Connection, store_id: int, guards: str) -> None:
    await conn.execute(update(stores).where(stores.c.id == store_id).values(guards=guards))


async def insert_token(conn: Connection, row: dict[str, object]) -> None:
    await conn.execute(insert(tokens).values(**row))


async def token_by_hash(conn: Connection, digest: str) -> Token | None:
    row = (await conn.execute(_TOKEN_BY_HASH, {"digest": digest})).first()
    return None if row is None else _token(row)


async def tokens_of(conn: Connection, store_id: int | None = None) -> list[Token]:
    """The tokens of one store, or of all, those of chains first; oldest first."""
    query = _tokens.order_by(func.coalesce(stores.c.slug, ""), tokens.c.created_at, tokens.c.id)
    if store_id is not None:
        query = query.where(tokens.c.store_id == store_id)
    return [_token(row) for row in await conn.execute(query)]


def _store(row: Iterable[Any]) -> Store:
    return Store(**dict(zip(Store.__struct_fields__, row, strict=True)))


def _token(row: Iterable[Any]) -> Token:
    values = list(row)
    own, store = values[: len(_TOKEN)], values[len(_TOKEN) :]
    named = dict(zip(Token.__struct_fields__, own, strict=False))
    named["scopes"] = _decode_scopes(named["scopes"])
    return Token(**named, store=None if store[0] is None else _store(store))


async def token_by_id(conn: Connection, organisation_id: int, token_id: str) -> Token | None:
    statement = _tokens.where(tokens.c.organisation_id == organisation_id, tokens.c.id == token_id)
    row = (await conn.execute(statement)).first()
    return None if row is None else _token(row)


async def tokens_page(
    conn: Connection,
    organisation_id: int,
    *,
    store_id: int | None,
    active: bool | None,
    now: int,
    after: str | None,
    offset: int,
    limit: int,
) -> tuple[list[Token], int | None]:
    """Tokens of an organisation, or of one of its stores, the newest first, and how many there are."""
    statement = _tokens.where(tokens.c.organisation_id == organisation_id)
    if store_id is not None:
        statement = statement.where(tokens.c.store_id == store_id)
    if active is not None:
        statement = statement.where(_is_active(now) if active else ~_is_active(now))
    key = None if after is None else [after]
    rows = await conn.execute(paged(statement, [tokens.c.id], key, offset, limit, descending=True))
    return [_token(row) for row in rows], await counted(conn, _only_ids(statement))


def _only_ids(statement: Select[Any]) -> Select[Any]:
    """The same rows with names that a subquery may have: tokens and stores have columns of the same name."""
    return statement.with_only_columns(tokens.c.id, maintain_column_froms=True)


async def active_named(conn: Connection, organisation_id: int, store_id: int | None, name: str, now: int) -> set[str]:
    """Ids of the active tokens of this name; without a store those of the chain itself."""
    statement = select(tokens.c.id).where(
        tokens.c.organisation_id == organisation_id,
        tokens.c.store_id.is_not_distinct_from(store_id),
        tokens.c.name == name,
        _is_active(now),
    )
    return set((await conn.execute(statement)).scalars())


def _is_active(now: int) -> ColumnElement[bool]:
    return tokens.c.revoked_at.is_(None) & (tokens.c.expires_at.is_(None) | (tokens.c.expires_at > now))


async def expire_token(conn: Connection, token_id: str, at: int) -> None:
    await conn.execute(update(tokens).where(tokens.c.id == token_id).values(expires_at=at))


async def revoke_token(conn: Connection, token_id: str, now: int) -> bool:
    """False if it was revoked before."""
    statement = update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None)).values(revoked_at=now)
    return (await conn.execute(statement)).rowcount == 1


async def touch_token(conn: Connection, token_id: str, now: int, before: int) -> None:
    """Note that a token was used, unless that was noted since `before`."""
    stale = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < before)
    await conn.execute(update(tokens).where(tokens.c.id == token_id, stale).values(last_used_at=now))


async def insert_gateway(conn: Connection, row: dict[str, object]) -> None:
    await conn.execute(insert(gateways).values(**row))


async def gateways_of(conn: Connection, store_id: int) -> list[Gateway]:
    """By name; the retired are among them, since their names stay taken."""
    columns = [gateways.c[field] for field in Gateway.__struct_fields__]
    rows = await conn.execute(select(*columns).where(gateways.c.store_id == store_id).order_by(gateways.c.name))
    return [
        Gateway(**{**row, "config": msgspec.json.decode(row["config"], type=dict[str, str])}) for row in rows.mappings()
    ]
