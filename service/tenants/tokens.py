"""The life of tokens, of stores and of chains: issued once, shown once, kept as a hash, rotated, revoked.

The token of a live store, or of a chain, which reaches live stores too, begins with `sc_live_`, that of a sandbox with
`sc_test_`. How a token is known again is told in `callers`.
"""

import secrets
import string
from collections.abc import Sequence

import msgspec

from service.auditing import SHELL, Who, note
from service.context import Shelfcast
from service.core.actions import Action
from service.core.limits import UNLIMITED
from service.core.problems import printable
from service.core.scopes import Scope
from service.errors import ConflictError, NotFoundError, ValidationError
from service.ids import new_id
from service.settings import Settings
from service.store import products, tenants
from service.store.database import Connection
from service.store.tenants import Organisation, Store, Token
from service.tenants.callers import PATTERN, Caller, caller, digest, identify
from service.tenants.stores import known_organisation, known_store

__all__ = ["Caller", "caller", "digest", "identify"]

ALPHABET = string.ascii_letters + string.digits
PREFIX_LENGTH = 12
NAME_LIMIT = 100
_SHOWN = 63
"""Characters of a plan's name that is unknown."""
OVERLAP = 24 * 3600
"""Seconds for which the token that is rotated goes on beside its successor, unless said otherwise."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A token to be made.

    Attributes:
        plan: One of the settings, or UNLIMITED.
        expires_at: Milliseconds since the epoch; None: never.
        replaces: Id of the token that it is rotated from.
        series: Id of the first token of these rotations, whose limits they share.
    """

    name: str
    scopes: Sequence[Scope] = (Scope.FEED,)
    plan: str = UNLIMITED
    expires_at: int | None = None
    replaces: str | None = None
    series: str | None = None


def with_expiry(wanted: Wanted, expires_at: int | None) -> Wanted:
    return msgspec.structs.replace(wanted, expires_at=expires_at)


class Owner(msgspec.Struct, frozen=True):
    """Whose a token is: a store's, or without one the whole chain's."""

    organisation_id: int
    store: Store | None

    @property
    def store_id(self) -> int | None:
        return None if self.store is None else self.store.id

    @property
    def label(self) -> str:
        return "The chain" if self.store is None else f"Store {self.store.slug}"


class Issued(msgspec.Struct, frozen=True):
    """A new token; `token` is nowhere else and cannot be had again. Without a store it is the chain's."""

    token: str
    id: str
    prefix: str
    name: str
    store: str | None
    expires_at: int | None


async def issue(
    ctx: Shelfcast,
    store: str | None,
    name: str,
    *,
    organisation: str | None = None,
    scopes: Sequence[Scope] = (Scope.FEED,),
    plan: str = UNLIMITED,
    expires_at: int | None = None,
    by: str = SHELL,
) -> Issued:
    """A new token for the store of this slug, or for the whole organisation; its name is unique among active ones."""
    now = ctx.clock()
    check_plan(ctx.settings, plan)
    wanted = Wanted(name=name, scopes=scopes, plan=plan, expires_at=expires_at)

    async def work(conn: Connection) -> Issued:
        owner = await _owner(conn, store, organisation)
        return await create(conn, owner, wanted, Who(owner.organisation_id, owner.store_id, by), now)

    return await ctx.db.write(work)


async def _owner(conn: Connection, store: str | None, organisation: str | None) -> Owner:
    if store is not None:
        found = await known_store(conn, store)
        return Owner(found.organisation_id, found)
    if organisation is None:
        raise ValidationError("A token is a store's or an organisation's; name one of them.")
    chain: Organisation = await known_organisation(conn, organisation)
    return Owner(chain.id, None)


async def create(conn: Connection, owner: Owner, wanted: Wanted, who: Who, now: int) -> Issued:
    """Make a token. Raises ValidationError for a name or an expiry that cannot be, ConflictError for a taken name."""
    name = _checked_name(wanted.name)
    if wanted.expires_at is not None and wanted.expires_at <= now:
        reason = "is not in the future"
        raise ValidationError("The token would have expired already; give a later time.", {"expiresAt": reason})
    await lock(conn, owner)
    await _refuse_taken(conn, owner, name, wanted.replaces, now)
    kind = "test" if owner.store is not None and owner.store.environment == "sandbox" else "live"
    token = f"sc_{kind}_" + "".join(secrets.choice(ALPHABET) for _ in range(32))
    slug = None if owner.store is None else owner.store.slug
    issued = Issued(token, new_id(), token[:PREFIX_LENGTH], name, slug, wanted.expires_at)
    await tenants.insert_token(conn, _row(issued, owner, wanted, who, now))
    action = Action.TOKEN_CREATED if wanted.replaces is None else Action.TOKEN_ROTATED
    told = {"scopes": list(wanted.scopes), "plan": wanted.plan, "expiresAt": wanted.expires_at}
    await note(conn, who, now, action, issued.id, name, **told, replaces=wanted.replaces)
    return issued


async def lock(conn: Connection, owner: Owner) -> None:
    """Of two who change tokens of one owner, the second sees what the first did."""
    if owner.store is None:
        await tenants.lock_organisation(conn, owner.organisation_id)
    else:
        await products.lock_store(conn, owner.store.id)


async def _refuse_taken(conn: Connection, owner: Owner, name: str, replaces: str | None, now: int) -> None:
    taken = await tenants.active_named(conn, owner.organisation_id, owner.store_id, name, now)
    if taken - {replaces or ""}:
        raise ConflictError(
            f"{owner.label} has an active token named {name}; revoke it or take another name.",
            {"name": "is taken by an active token"},
        )


def _row(issued: Issued, owner: Owner, wanted: Wanted, who: Who, now: int) -> dict[str, object]:
    return {
        "hash": digest(issued.token),
        "id": issued.id,
        "organisation_id": owner.organisation_id,
        "store_id": owner.store_id,
        "name": issued.name,
        "prefix": issued.prefix,
        "scopes": msgspec.json.encode(wanted.scopes).decode(),
        "plan": wanted.plan,
        "created_at": now,
        "created_by": who.actor,
        "expires_at": issued.expires_at,
        "replaces": wanted.replaces,
        "series": wanted.series,
    }


def check_plan(settings: Settings, plan: str) -> None:
    """ValidationError for a plan that is not in the settings."""
    names = [UNLIMITED, *(known.name for known in settings.plans)]
    if plan not in names:
        raise ValidationError(
            f"There is no plan {printable(plan, _SHOWN)}; take one of {', '.join(names)}, or add it to"
            " SHELFCAST_PLANS.",
            {"plan": f"is none of {', '.join(names)}"},
        )


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        raise ValidationError(
            f"A token's name is 1 to {NAME_LIMIT} printable characters, as the system that uses it.",
            {"name": f"is not 1 to {NAME_LIMIT} printable characters"},
        )
    return name


async def listed(ctx: Shelfcast, store: str | None = None) -> list[Token]:
    """The tokens of one store or of all, also those revoked and expired, oldest first."""
    async with ctx.db.read() as conn:
        return await tenants.tokens_of(conn, None if store is None else (await known_store(conn, store)).id)


async def rotate(
    ctx: Shelfcast,
    which: str,
    store: str | None = None,
    *,
    overlap: int = OVERLAP,
    expires_at: int | None = None,
    by: str = SHELL,
) -> Issued:
    """A successor of the active token that has this name, id or prefix; see `succeed`."""
    now = ctx.clock()

    async def work(conn: Connection) -> Issued:
        token = await _active(conn, which, store, now)
        return await succeed(conn, token, overlap, expires_at, who_at_shell(token, by), now)

    return await ctx.db.write(work)


async def succeed(conn: Connection, token: Token, overlap: int, expires_at: int | None, who: Who, now: int) -> Issued:
    """A token of the same name, scopes, store and plan; the old one ends after `overlap` seconds, or as it would have.

    `expires_at`: of the new one; None: as the old one's was. Raises ConflictError for a token that is not active, and
    where three of one name would be active.
    """
    owner = Owner(token.organisation_id, token.store)
    await lock(conn, owner)
    current = await tenants.token_by_id(conn, token.organisation_id, token.id)
    if current is None or not current.active(now):
        raise ConflictError("The token is not active any more; issue a new one instead of rotating this.")
    others = await tenants.active_named(conn, owner.organisation_id, owner.store_id, token.name, now) - {token.id}
    for other in others:
        raise ConflictError(
            f"The token is one of two of a rotation that is under way: {other} is active too. Revoke the one that"
            " is no longer used, or wait for the end of the overlap."
        )
    wanted = Wanted(
        name=current.name,
        scopes=[Scope(word) for word in current.scopes if word in set(Scope)],
        plan=current.plan,
        expires_at=current.expires_at if expires_at is None else expires_at,
        replaces=current.id,
        series=current.quota,
    )
    issued = await create(conn, owner, wanted, who, now)
    ends = now + overlap * 1000
    await tenants.expire_token(conn, current.id, ends if current.expires_at is None else min(ends, current.expires_at))
    return issued


async def revoke(ctx: Shelfcast, which: str, store: str | None = None, *, by: str = SHELL) -> Token:
    """Revoke the active token that has this name, id or prefix, or that is this one itself."""
    now = ctx.clock()

    async def work(conn: Connection) -> Token:
        token = await _active(conn, which, store, now)
        await end(conn, token, who_at_shell(token, by), now)
        return token

    return await ctx.db.write(work)


async def end(conn: Connection, token: Token, who: Who, now: int) -> None:
    """Revoke it; nothing about tokens is cached, so the next request is refused, on every process."""
    if await tenants.revoke_token(conn, token.id, now):
        await note(conn, who, now, Action.TOKEN_REVOKED, token.id, token.name)


def who_at_shell(token: Token, by: str) -> Who:
    return Who(token.organisation_id, token.store.id if token.store else None, by)


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
