"""Statements about organisations, stores, their tokens and gateways: who owns what, and who may ask."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, insert, or_, select, update

from service.store.database import Connection, Record
from service.store.tables import gateways, organisations, store_sequences, stores, tokens


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
    store: Store | None

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


async def organisation(conn: Connection, slug: str, ulid: str, now: int) -> int:
    """The organisation's id; it is made if there is none of this slug."""
    found = await conn.scalar(select(organisations.c.id).where(organisations.c.slug == slug))
    if found is not None:
        return int(found)
    new = insert(organisations).values(slug=slug, name=slug, ulid=ulid, created_at=now)
    return int((await conn.execute(new.returning(organisations.c.id))).scalar_one())


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


async def revoke_token(conn: Connection, token_id: str, now: int) -> None:
    await conn.execute(
        update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None)).values(revoked_at=now)
    )


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
