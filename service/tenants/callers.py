"""Who asks: the token of a request, looked up every time, and the one store that the request is about.

A token is `sc_live_` or `sc_test_` (sandbox) and 32 letters and digits, 190 bits of chance; being that random, a plain
SHA-256 is enough to keep it by. Nothing about a token is cached: revocation and expiry count at the next request, on
every process.
"""

import asyncio
import functools
import hashlib
import re

import msgspec
import structlog

from service.context import Shelfcast
from service.core.problems import printable
from service.errors import NotFoundError, UnauthorizedError, ValidationError
from service.messages import time
from service.store import tenants
from service.store.database import Connection
from service.store.tenants import Store, Token

PATTERN = re.compile(r"sc_(?:live|test)_[0-9A-Za-z]{32}")
USE_NOTED_EVERY = 60_000
"""Milliseconds; a store that pushes all night must not write to the tokens with every request."""
_STORE_NAME = re.compile(r"[0-9A-Za-z-]{1,63}")
_SHOWN = 63
"""Characters of a name that is unknown."""

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
    if token.store is not None and named is None:
        return _caller(token, token.store)
    if named is None:
        reason = "is required, since this token is the whole chain's"
        raise ValidationError("Name the store, by its slug or ULID, as ?store=…", {"store": reason})
    async with ctx.db.glance() as conn:
        return _caller(token, await reached(conn, token, named))


async def reached(conn: Connection, token: Token, named: str) -> Store:
    """The store of this slug or ULID, if the token reaches it; NotFoundError for any other."""
    if token.store is not None:
        if named in {token.store.slug, token.store.ulid}:
            return token.store
    elif _STORE_NAME.fullmatch(named):
        store = await tenants.store_of_organisation(conn, token.organisation_id, named)
        if store is not None:
            return store
    raise NotFoundError(f"This token knows no store {printable(named, _SHOWN)}.")


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
