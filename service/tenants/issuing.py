"""Tokens that tokens issue, rotate and revoke: never more than the one that asks has itself.

What is not within a token's reach is unknown to it (404); what is more than it has, it is forbidden (403). Revoking is
the exception: whoever may write tokens revokes any within reach, also one that may do more, since a token that leaked
has to be stopped by whoever is there.
"""

from typing import Any

from service.auditing import by
from service.context import Shelfcast
from service.core.issuing import Rights, excess
from service.core.scopes import implied
from service.errors import ForbiddenError, NotFoundError
from service.ids import is_id
from service.messages import Page, Window, time, time_or_none
from service.messages.tenants import IssuedToken, Organisation, RotatedToken
from service.messages.tenants import Token as TokenMessage
from service.paging import Id, decode, page, shallow
from service.store import tenants
from service.store.database import Connection
from service.store.tenants import Token
from service.tenants import tokens
from service.tenants.callers import reached
from service.tenants.tokens import Issued, Owner, Wanted


async def whose(ctx: Shelfcast, user: Token) -> Organisation:
    """Who asks, what it may do, and until when."""
    async with ctx.db.glance() as conn:
        chain = await tenants.organisation_of(conn, user.organisation_id)
    return Organisation(
        id=chain.ulid,
        slug=chain.slug,
        name=chain.name,
        created_at=time(chain.created_at),
        token=message(user, ctx.clock()),
        allowed=sorted(implied(user.scopes)),
    )


async def listing(
    ctx: Shelfcast, user: Token, store: str | None, active: bool | None, window: Window
) -> Page[TokenMessage]:
    """The tokens within reach, the newest first; a store's token sees those of its store."""
    after, now = decode(window.cursor, Id), ctx.clock()
    async with ctx.db.read() as conn:
        only = user.store if store is None else await reached(conn, user, store)
        found, total = await tenants.tokens_page(
            conn,
            user.organisation_id,
            store_id=None if only is None else only.id,
            active=active,
            now=now,
            after=after,
            offset=shallow(window),
            limit=window.per_page + 1,
        )
    shown = found[: window.per_page]
    more = shown[-1].id if len(found) > len(shown) else None
    return page(window, [message(token, now) for token in shown], more, total)


async def one(ctx: Shelfcast, user: Token, token_id: str) -> TokenMessage:
    async with ctx.db.read() as conn:
        return message(await _within(conn, user, token_id), ctx.clock())


async def issue(ctx: Shelfcast, user: Token, store: str | None, wanted: Wanted) -> IssuedToken:
    """A token of the store named, or of all that the asking one reaches. Without an expiry it ends with the asking one.

    Raises ForbiddenError with every respect in which it would be more than the asking one.
    """
    now = ctx.clock()

    async def work(conn: Connection) -> tuple[Issued, Token]:
        tokens.check_plan(ctx.settings, wanted.plan)
        owner = Owner(user.organisation_id, user.store if store is None else await reached(conn, user, store))
        new = tokens.with_expiry(wanted, wanted.expires_at or user.expires_at)
        rights = Rights(
            organisation_id=owner.organisation_id,
            store_id=owner.store_id,
            scopes=tuple(new.scopes),
            plan=ctx.limits.plan(new.plan),
            expires_at=new.expires_at,
        )
        _refuse_excess(ctx, user, rights, "issue")
        return await _made(conn, user, await tokens.create(conn, owner, new, by(user), now))

    issued, token = await ctx.db.write(work)
    return issued_message(token, issued.token, now)


async def rotate(ctx: Shelfcast, user: Token, token_id: str, overlap: int, expires_at: int | None) -> RotatedToken:
    """A successor, `overlap` seconds beside the token; see `tokens.succeed`. Who rotates gets a token: see `issue`."""
    now = ctx.clock()

    async def work(conn: Connection) -> tuple[Issued, Token, Token]:
        token = await _within(conn, user, token_id)
        _refuse_excess(ctx, user, rights_of(ctx, token), "rotate")
        if expires_at is not None:
            _refuse_excess(ctx, user, rights_of(ctx, token, expires_at), "issue")
        issued = await tokens.succeed(conn, token, overlap, expires_at, by(user), now)
        previous = await _within(conn, user, token_id)
        return *await _made(conn, user, issued), previous

    issued, token, previous = await ctx.db.write(work)
    return RotatedToken(**_fields(token, now), token=issued.token, previous=message(previous, now))


async def revoke(ctx: Shelfcast, user: Token, token_id: str) -> TokenMessage:
    """Any within reach, itself too; once more changes nothing."""
    now = ctx.clock()

    async def work(conn: Connection) -> Token:
        await tokens.end(conn, await _within(conn, user, token_id), by(user), now)
        return await _within(conn, user, token_id)

    return message(await ctx.db.write(work), now)


def rights_of(ctx: Shelfcast, token: Token, expires_at: int | None = None) -> Rights:
    """Its own, or with another expiry. A plan that is no longer in the settings limits nothing."""
    return Rights(
        organisation_id=token.organisation_id,
        store_id=None if token.store is None else token.store.id,
        scopes=token.scopes,
        plan=ctx.limits.plan(token.plan),
        expires_at=token.expires_at if expires_at is None else expires_at,
    )


def _refuse_excess(ctx: Shelfcast, user: Token, wanted: Rights, verb: str) -> None:
    if beyond := excess(rights_of(ctx, user), wanted):
        raise ForbiddenError(
            f"A token cannot {verb} one that is more than itself: "
            + "; ".join(f"{field} {reason}" for field, reason in beyond.items())
            + ". Ask with a token that has it, or ask for less.",
            beyond,
        )


async def _within(conn: Connection, user: Token, token_id: str) -> Token:
    token = await tenants.token_by_id(conn, user.organisation_id, token_id) if is_id(token_id) else None
    if token is None or (user.store is not None and (token.store is None or token.store.id != user.store.id)):
        raise NotFoundError("This token knows no token of this id.")
    return token


async def _made(conn: Connection, user: Token, issued: Issued) -> tuple[Issued, Token]:
    return issued, await _within(conn, user, issued.id)


def message(token: Token, now: int) -> TokenMessage:
    return TokenMessage(**_fields(token, now))


def issued_message(token: Token, itself: str, now: int) -> IssuedToken:
    return IssuedToken(**_fields(token, now), token=itself)


def _fields(token: Token, now: int) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "prefix": token.prefix,
        "organisation": token.organisation,
        "store": None if token.store is None else token.store.slug,
        "scopes": list(token.scopes),
        "plan": token.plan,
        "active": token.active(now),
        "created_at": time(token.created_at),
        "created_by": token.created_by,
        "expires_at": time_or_none(token.expires_at),
        "revoked_at": time_or_none(token.revoked_at),
        "last_used_at": time_or_none(token.last_used_at),
        "replaces": token.replaces,
    }
