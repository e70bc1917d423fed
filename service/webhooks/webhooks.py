"""Endpoints that are told of events: made, changed, rotated, tested, removed; by a token, or at a shell."""

import base64
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from service import auditing, paging
from service.auditing import Who
from service.context import Shelfcast
from service.core import happenings
from service.core.actions import Action
from service.core.happenings import Kind as AnyKind
from service.core.happenings import TestPayload
from service.core.targets import TargetError
from service.errors import ConflictError, NotFoundError, UnprocessableError
from service.ids import is_id, new_id
from service.messages import Page, Window, time, time_or_none
from service.messages.webhooks import Kind, NewWebhook, Webhook, WebhookChange, WebhookSecret, WebhookTested
from service.store import tenants, webhooks
from service.store.database import Connection, Record
from service.store.tenants import Token
from service.tenants.stores import known_organisation, known_store
from service.webhooks.posting import Poster, signed

MOST = 50
"""Endpoints of one organisation, since each is asked about whenever something happens."""
_SECRET_BYTES = 32
_decode_kinds = msgspec.json.Decoder(list[Kind]).decode


class Side(msgspec.Struct, frozen=True):
    """Whose endpoints somebody may see and change, and in whose name.

    Attributes:
        organisation_id: None: the operator, who sees all and makes endpoints of the operator's own.
        store_id: None: all stores of the organisation, and endpoints for all of them.
    """

    organisation_id: int | None
    store_id: int | None
    actor: str
    token_id: str | None = None

    def who(self, endpoint: Record) -> Who | None:
        """None where there is no organisation in whose audit log it could stand."""
        whose = endpoint["organisation_id"]
        return None if whose is None else Who(whose, endpoint["store_id"], self.actor, self.token_id)


async def side_of_slug(
    ctx: Shelfcast, actor: str, *, store: str | None = None, organisation: str | None = None
) -> Side:
    """At a shell: of a store, of an organisation, or the operator's own. Raises NotFoundError."""
    async with ctx.db.read() as connection:
        if store is not None:
            found = await known_store(connection, store)
            return Side(found.organisation_id, found.id, actor)
        whose = None
        if organisation is not None:
            whose = (await known_organisation(connection, organisation)).id
        return Side(whose, None, actor)


def side_of(token: Token) -> Side:
    return Side(token.organisation_id, token.store.id if token.store else None, f"token {token.name}", token.id)


async def create(ctx: Shelfcast, side: Side, wanted: NewWebhook) -> WebhookSecret:
    """Make an endpoint; its secret is in the answer and nowhere else.

    Raises UnprocessableError for a URL that nothing can be sent to, NotFoundError for a store that is not the side's,
    ConflictError where there are 50 already.
    """
    await _check(ctx, wanted.url)
    secret, now = _new_secret(), ctx.clock()

    async def work(connection: Connection) -> Record:
        store_id = await _store_id(connection, side, wanted.store)
        if (await webhooks.count(connection, side.organisation_id, None) or 0) >= MOST:
            raise ConflictError(f"There are {MOST} webhooks already; remove one that is not needed any more.")
        row = {
            "id": new_id(),
            "organisation_id": side.organisation_id,
            "store_id": store_id,
            "url": wanted.url,
            "kinds": _kinds(wanted.kinds),
            "description": wanted.description,
            "secret": ctx.sealer.seal(secret),
            "created_at": now,
            "created_by": side.actor,
            **_enabling(wanted.enabled, now),
        }
        await webhooks.insert(connection, row)
        made = await known(connection, side, row["id"])
        await _note(connection, side, made, now, Action.WEBHOOK_CREATED, url=wanted.url, kinds=wanted.kinds)
        return made

    return _with_secret(await ctx.db.write(work), secret)


async def change(ctx: Shelfcast, side: Side, webhook_id: str, wanted: WebhookChange) -> Webhook:
    """Change an endpoint. To enable it again also forgets that it failed; raises as `create`."""
    if wanted.url is not msgspec.UNSET:
        await _check(ctx, wanted.url)
    now = ctx.clock()

    async def work(connection: Connection) -> Record:
        before = await known(connection, side, webhook_id, lock=True)
        columns = await _columns(connection, side, before, wanted, now)
        changed = {name: value for name, value in columns.items() if before[name] != value}
        if not changed:
            return before
        await webhooks.set_columns(connection, webhook_id, **changed)
        detail = {name: [before[name], value] for name, value in changed.items() if name in _TOLD}
        await _note(connection, side, before, now, Action.WEBHOOK_CHANGED, **detail)
        return await known(connection, side, webhook_id)

    return message(await ctx.db.write(work))


_TOLD = ("url", "kinds", "description", "store_id", "disabled_at")
"""Columns whose changes are written down."""


async def _columns(
    connection: Connection, side: Side, before: Record, wanted: WebhookChange, now: int
) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if wanted.url is not msgspec.UNSET:
        columns["url"] = wanted.url
    if wanted.kinds is not msgspec.UNSET:
        columns["kinds"] = _kinds(wanted.kinds)
    if wanted.description is not msgspec.UNSET:
        columns["description"] = wanted.description
    if wanted.store is not msgspec.UNSET:
        columns["store_id"] = await _store_id(connection, side, wanted.store)
    if wanted.enabled is not msgspec.UNSET and wanted.enabled == (before["disabled_at"] is not None):
        columns |= _enabling(wanted.enabled, now)
    return columns


def _enabling(enabled: bool, now: int) -> dict[str, Any]:
    if not enabled:
        return {"disabled_at": now, "disabled_reason": "Disabled by hand."}
    return dict.fromkeys(("disabled_at", "disabled_reason", "failing_since", "paused_until"))


async def rotate(ctx: Shelfcast, side: Side, webhook_id: str) -> WebhookSecret:
    """A new secret, shown this once; until `oldSecretUntil` the one before signs too."""
    secret, now = _new_secret(), ctx.clock()
    until = now + int(ctx.settings.webhook_overlap * 1000)

    async def work(connection: Connection) -> Record:
        before = await known(connection, side, webhook_id, lock=True)
        await webhooks.set_columns(
            connection,
            webhook_id,
            secret=ctx.sealer.seal(secret),
            old_secret=before["secret"],
            old_secret_until=until,
        )
        await _note(connection, side, before, now, Action.WEBHOOK_ROTATED, oldSecretUntil=time(until))
        return await known(connection, side, webhook_id)

    return _with_secret(await ctx.db.write(work), secret)


async def remove(ctx: Shelfcast, side: Side, webhook_id: str) -> Webhook:
    """Nothing more is posted to it; its deliveries are dropped with their age."""

    async def work(connection: Connection) -> Record:
        before = await known(connection, side, webhook_id, lock=True)
        await webhooks.remove(connection, webhook_id)
        await _note(connection, side, before, ctx.clock(), Action.WEBHOOK_DELETED)
        return before

    return message(await ctx.db.write(work))


async def test(ctx: Shelfcast, side: Side, webhook_id: str) -> WebhookTested:
    """Post `webhook.test` to it at once, enabled or not, and say what came of it; not repeated, and not in the log."""
    async with ctx.db.read() as connection:
        endpoint = await known(connection, side, webhook_id)
    now, id_ = ctx.clock(), new_id()
    payload = TestPayload(webhook_id=webhook_id, message="It works.")
    body = happenings.body(AnyKind.WEBHOOK_TEST, time(now), endpoint["store"], payload)
    keys = [ctx.sealer.opened(sealed) for sealed in signing(endpoint, now)]
    answer = await Poster.of(ctx.settings).post(endpoint["url"], signed(keys, id_, now, body), body)
    return WebhookTested(
        delivered=answer.succeeded,
        webhook_id=webhook_id,
        event_id=id_,
        status=answer.status,
        error=answer.detail,
        answer=answer.body,
        milliseconds=answer.took,
    )


def signing(endpoint: Record, now: int) -> tuple[str, ...]:
    """The sealed secrets that sign now, the newest first."""
    rotating = endpoint["old_secret"] is not None and endpoint["old_secret_until"] > now
    return (endpoint["secret"], endpoint["old_secret"]) if rotating else (endpoint["secret"],)


async def get(ctx: Shelfcast, side: Side, webhook_id: str) -> Webhook:
    async with ctx.db.read() as connection:
        return message(await known(connection, side, webhook_id))


async def listing(ctx: Shelfcast, side: Side, window: Window) -> Page[Webhook]:
    """The side's endpoints, the oldest first."""
    after = paging.decode(window.cursor, tuple[paging.Id])
    whose = side.organisation_id, side.store_id
    async with ctx.db.read() as connection:
        rows = await webhooks.listing(connection, *whose, after, paging.shallow(window), window.per_page + 1)
        total = await webhooks.count(connection, *whose)
    shown = rows[: window.per_page]
    last = (shown[-1]["id"],) if len(rows) > len(shown) else None
    return paging.page(window, [message(row) for row in shown], last, total)


async def everywhere(ctx: Shelfcast) -> list[tuple[str, Webhook]]:
    """All endpoints, each with whose it is: for the operator at a shell."""
    async with ctx.db.read() as connection:
        rows = await webhooks.everywhere(connection)
    return [(row["store"] or row["organisation"] or "operator", message(row)) for row in rows]


async def known(connection: Connection, side: Side, webhook_id: str, *, lock: bool = False) -> Record:
    """The endpoint with the names around it; raises NotFoundError for one that is not the side's."""
    if lock:
        await webhooks.lock(connection, webhook_id)
    endpoint = await webhooks.get(connection, webhook_id) if is_id(webhook_id) else None
    if endpoint is None or not _sees(side, endpoint["organisation_id"], endpoint["store_id"]):
        raise NotFoundError("There is no such webhook here.")
    return endpoint


def _sees(side: Side, organisation_id: int | None, store_id: int | None) -> bool:
    if side.organisation_id is not None and side.organisation_id != organisation_id:
        return False
    return side.store_id is None or side.store_id == store_id


async def _store_id(connection: Connection, side: Side, named: str | None) -> int | None:
    """The store that an endpoint is for; a store's token makes them for its own store alone."""
    if named is None:
        return side.store_id
    store = None
    if side.organisation_id is not None:
        store = await tenants.store_of_organisation(connection, side.organisation_id, named)
    if store is None or side.store_id not in {None, store.id}:
        raise NotFoundError(f"There is no store {named} here.")
    return store.id


async def _check(ctx: Shelfcast, url: str) -> None:
    try:
        await Poster.of(ctx.settings).check(url)
    except TargetError as error:
        raise UnprocessableError(f"No webhook can be sent to this URL. {error}", {"url": str(error)}) from None


async def _note(connection: Connection, side: Side, endpoint: Record, now: int, action: Action, **detail: Any) -> None:
    if (who := side.who(endpoint)) is not None:
        await auditing.note(connection, who, now, action, endpoint["id"], endpoint["url"], **detail)


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _kinds(kinds: Sequence[Kind] | None) -> str:
    """As they are stored: none for every kind."""
    return msgspec.json.encode(sorted(set(kinds or ()))).decode()


def message(row: Record) -> Webhook:
    return Webhook(**_members(row))


def _with_secret(row: Record, secret: str) -> WebhookSecret:
    return WebhookSecret(**_members(row), secret=secret)


def _members(row: Record) -> dict[str, Any]:
    return {
        "id": row["id"],
        "url": row["url"],
        "kinds": _decode_kinds(row["kinds"]) or None,
        "description": row["description"],
        "store": row["store"],
        "enabled": row["disabled_at"] is None,
        "disabled_at": time_or_none(row["disabled_at"]),
        "disabled_reason": row["disabled_reason"],
        "failing_since": time_or_none(row["failing_since"]),
        "old_secret_until": time_or_none(row["old_secret_until"]),
        "created_at": time(row["created_at"]),
        "created_by": row["created_by"],
    }
