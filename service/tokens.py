"""Tokens of stores and of chains: issued once, shown once, kept as a hash, looked up at every request.

A token is `sc_live_` or `sc_test_` (sandbox) and 32 letters and digits, 190 bits of chance; being that random, a plain
SHA-256 is enough to keep it by. Nothing about a token is cached: revocation and expiry count at the next request, on
every process.
"""

import asyncio
import functools
import hashlib
import re
import secrets
import string
from collections.abc import Sequence

import msgspec
import structlog

from service.context import Shelfcast
from service.core.problems import printable
from service.core.scopes import Scope
from service.errors import ConflictError, NotFoundError, UnauthorizedError, ValidationError
from service.ids import new_id
from service.messages import time
from service.store import products, tenants
from service.store.database import Connection
from service.store.tenants import Token
from service.stores import known_store

ALPHABET = string.ascii_letters + string.digits
PATTERN = re.compile(r"sc_(?:live|test)_[0-9A-Za-z]{32}")
PREFIX_LENGTH = 12
NAME_LIMIT = 100
_STORE_NAME = re.compile(r"[0-9A-Za-z-]{1,63}")
_SHOWN = 63
"""Characters of a name that is unknown."""
USE_NOTED_EVERY = 60_000
"""Milliseconds; a store that pushes all night must not write to the tokens with every request."""

log = structlog.get_logger(__name__)


class Caller(msgspec.Struct, frozen=True):
    """Who asks about one store: the token's own, or the one that a chain's token named."""

    store_id: int
    organisation_id: int
    store: str
    environment: str
    currency: str
    timezone: str
    locale: str
    token_id: str
    token: str
    """The token's name."""
    scopes: tuple[str, ...]
    is_chain: bool = False
    """Whether the token is the whole chain's, which may be told of its other stores."""


class Issued(msgspec.Struct, frozen=True):
    """A new token; `token` is nowhere else and cannot be had again."""

    token: str
    id: str
    prefix: str
    name: str
    store: str
    expires_at: int | None


async def issue(
    ctx: Shelfcast, store: str, name: str, *, scopes: Sequence[Scope] = (Scope.FEED,), expires_at: int | None = None
) -> Issued:
    """A new token for the store of this slug; its name is unique among the store's active ones."""
    now = ctx.clock()
    name = _checked_name(name)
    if expires_at is not None and expires_at <= now:
        raise ValidationError("The token would have expired already; give a later time.")

    async def work(conn: Connection) -> Issued:
        owner = await known_store(conn, store)
        await products.lock_store(conn, owner.id)
        if any(other.name == name and other.active(now) for other in await tenants.tokens_of(conn, owner.id)):
            raise ConflictError(f"Store {store} has an active token named {name}; revoke it or take another name.")
        issued = _new(owner, name, expires_at)
        await tenants.insert_token(conn, _row(issued, owner, now) | {"scopes": msgspec.json.encode(scopes).decode()})
        return issued

    return await ctx.db.write(work)


async def listed(ctx: Shelfcast, store: str | None = None) -> list[Token]:
    """The tokens of one store or of all, also those revoked and expired, oldest first."""
    async with ctx.db.read() as conn:
        return await tenants.tokens_of(conn, None if store is None else (await known_store(conn, store)).id)


async def revoke(ctx: Shelfcast, which: str, store: str | None = None) -> Token:
    """Revoke the active token that has this name, id or prefix, or that is this one itself."""
    now = ctx.clock()

    async def work(conn: Connection) -> Token:
        token = await _active(conn, which, store, now)
        await tenants.revoke_token(conn, token.id, now)
        return token

    return await ctx.db.write(work)


async def _active(conn: Connection, which: str, store: str | None, now: int) -> Token:
    owner = None if store is None else (await known_store(conn, store)).id
    itself = await tenants.token_by_hash(conn, digest(which))
    found = [itself] if itself else await tenants.tokens_of(conn, owner)
    found = [token for token in found if token.active(now)]
    if not itself:
        found = [token for token in found if which in {token.id, token.name, token.prefix}]
    shown = which[:PREFIX_LENGTH] + "…" if PATTERN.fullmatch(which) else which
    if not found:
        raise NotFoundError(f"No active token has the name, id or prefix {shown}; shelfcast token list shows them.")
    if len(found) > 1:
        raise ConflictError(f"{len(found)} active tokens match {shown}; give the store, or the id of one of them.")
    return found[0]


async def identify(ctx: Shelfcast, written: str) -> Token:
    """The token that was sent; UnauthorizedError says whether it is unknown, revoked or expired."""
    if not PATTERN.fullmatch(written):
        raise UnauthorizedError("This is not a Shelfcast token; send Authorization: Bearer sc_live_… or sc_test_….")
    async with ctx.db.glance() as conn:
        found = await tenants.token_by_hash(conn, digest(written))
    now = ctx.clock()
    if found is None:
        raise UnauthorizedError("This token is not known here; check that it belongs to this installation.")
    if found.revoked_at is not None:
        raise UnauthorizedError(f"This token was revoked at {time(found.revoked_at)}; ask for a new one.")
    if not found.active(now):
        raise UnauthorizedError(f"This token expired at {time(found.expires_at or now)}; ask for a new one.")
    _note_use(ctx, found, now)
    return found


async def caller(ctx: Shelfcast, token: Token, named: str | None = None) -> Caller:
    """The token's word about one store: its own, or of its chain the one of this slug or ULID.

    Raises ValidationError where a chain's token names none, NotFoundError for a store that is not the token's.
    """
    if token.store is not None and named in {None, token.store.slug, token.store.ulid}:
        return _caller(token, token.store)
    if named is None:
        reason = "is required, since this token is the whole chain's"
        raise ValidationError("Name the store, by its slug or ULID, as ?store=…", {"store": reason})
    store = None
    if token.store is None and _STORE_NAME.fullmatch(named):
        async with ctx.db.glance() as conn:
            store = await tenants.store_of_organisation(conn, token.organisation_id, named)
    if store is None:
        raise NotFoundError(f"This token knows no store {printable(named, _SHOWN)}.")
    return _caller(token, store)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


_noting: dict[str, asyncio.Task[None]] = {}


def _note_use(ctx: Shelfcast, token: Token, now: int) -> None:
    """Write down the use beside the request: it neither waits for the write nor fails with it."""
    before = now - USE_NOTED_EVERY
    if token.id in _noting or (token.last_used_at is not None and token.last_used_at >= before):
        return
    _noting[token.id] = task = ctx.db.begin(tenants.touch_token, token.id, now, before)
    task.add_done_callback(functools.partial(_noted, token.id))


def _noted(token_id: str, task: asyncio.Task[None]) -> None:
    """The use of a token is a courtesy; a full disk shows elsewhere."""
    _noting.pop(token_id, None)
    if not task.cancelled() and (error := task.exception()):
        log.warning("token_use_not_noted", token_id=token_id, error=repr(error))


def _caller(token: Token, store: tenants.Store) -> Caller:
    return Caller(
        store_id=store.id,
        organisation_id=store.organisation_id,
        store=store.slug,
        environment=store.environment,
        currency=store.currency,
        timezone=store.timezone,
        locale=store.locale,
        token_id=token.id,
        token=token.name,
        scopes=token.scopes,
        is_chain=token.store is None,
    )


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        raise ValidationError(f"A token's name is 1 to {NAME_LIMIT} printable characters, as the system that uses it.")
    return name


def _new(store: tenants.Store, name: str, expires_at: int | None) -> Issued:
    kind = "test" if store.environment == "sandbox" else "live"
    token = f"sc_{kind}_" + "".join(secrets.choice(ALPHABET) for _ in range(32))
    return Issued(
        token=token, id=new_id(), prefix=token[:PREFIX_LENGTH], name=name, store=store.slug, expires_at=expires_at
    )


def _row(issued: Issued, store: tenants.Store, now: int) -> dict[str, object]:
    return {
        "hash": digest(issued.token),
        "id": issued.id,
        "organisation_id": store.organisation_id,
        "store_id": store.id,
        "name": issued.name,
        "prefix": issued.prefix,
        "created_at": now,
        "expires_at": issued.expires_at,
    }
