"""Judges of a seed: by what was acknowledged, by the glass, and by the database. Each says what it found."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select

from display_drivers.simulator.messages import Seen, Stats
from service.context import Shelfcast
from service.store import chain_tables, tables
from tests.chaos.account import Account, Statement
from tests.end_to_end.shelf import fingerprint_with, price_of
from tests.receiver import Got

_UNIT = 10_000
_UNFINISHED = {
    "updates on their way": (tables.updates, tables.update_is_open),
    "displays not right": (tables.displays, tables.display_is_wrong),
    "batches under way": (tables.batches, tables.batches.c.phase.is_not(None)),
    "webhooks on their way": (chain_tables.deliveries, chain_tables.delivery_is_pending),
    "tags not closed": (tables.batch_displays, tables.tag_may_be_proven),
}


async def unfinished(ctx: Shelfcast) -> dict[str, int]:
    """What has to come to an end and did not yet; empty: all is done."""
    left: Counter[str] = Counter()
    async with ctx.db.read() as conn:
        for name, (table, which) in _UNFINISHED.items():
            left[name] = (await conn.execute(select(func.count()).select_from(table).where(which))).scalar_one()
        of = tables.batch_pushes.c
        over = tables.batches.c.status.not_in(["open", "processing", "held"])
        staged = (
            select(func.count()).select_from(tables.batch_pushes.join(tables.batches)).where(of.rows.is_not(None), over)
        )
        left["pushes staged for nothing"] = (await conn.execute(staged)).scalar_one()
    return {name: count for name, count in left.items() if count}


async def kept_prices(ctx: Shelfcast) -> dict[str, str]:
    """Barcode -> price of every product."""
    async with ctx.db.read() as conn:
        rows = await conn.execute(select(tables.products.c.barcode, tables.products.c.content))
        return {barcode: _words(json.loads(content)["price"]) for barcode, content in rows}


async def happened(ctx: Shelfcast) -> dict[str, Any]:
    """Id -> what webhooks are to tell: its kind and its data."""
    of = chain_tables.events.c
    async with ctx.db.read() as conn:
        rows = await conn.execute(select(of.id, of.kind, of.data))
        return {id_: {"type": kind, "data": json.loads(data)} for id_, kind, data in rows}


def _words(price: int) -> str:
    return f"{price / _UNIT:.2f}"


def lost(account: Account, kept: Mapping[str, str]) -> list[str]:
    """Every acknowledged statement is the product's price, unless a newer one is."""
    return [
        f"lost: {barcode} costs {kept.get(barcode)}, and only {sorted(account.prices(barcode))} would be right"
        for barcode in account.said
        if kept.get(barcode) not in account.prices(barcode)
    ][:5]


def wrong(account: Account, kept: Mapping[str, str], glass: Mapping[str, Seen], shows: Mapping[str, str]) -> list[str]:
    """Every display shows what its product costs."""
    return [
        f"wrong: {address} shows {price_of(seen)}; its product costs {kept[shows[address]]}"
        for address, seen in glass.items()
        if price_of(seen) != kept[shows[address]]
    ][:5]


def gone_back(glass: Mapping[str, Seen], stats: Stats) -> list[str]:
    """No older face appeared after a newer one, and no display had two pushes at once."""
    findings = [
        f"back: {address} showed revision {newer.revision} and then {older.revision}"
        for address, seen in glass.items()
        for newer, older in zip(seen.history or [], (seen.history or [])[1:], strict=False)
        if older.revision < newer.revision
    ]
    most = max(gateway.traffic.max_in_flight_per_display for gateway in stats.gateways)
    return findings[:5] + ([f"{most} pushes to one display at once"] if most > 1 else [])


def false_claims(
    account: Account,
    claims: Iterable[Any],
    glass: Mapping[str, Seen],
    shows: Mapping[str, str],
    began_at: Mapping[str, int],
) -> list[str]:
    """What was said to be confirmed was on the glass by then; and, if nothing newer was stated, for good."""
    findings = []
    for claim in claims:
        seen = glass[claim.address]
        wanted, shots = fingerprint_with(seen, claim.statement.price), seen.history or []
        there_before = sum(shot.at < began_at[claim.session_id] for shot in shots)
        by_then = [number for number, shot in enumerate(shots) if shot.at <= claim.seen_at]
        proving = [n for n in by_then if n >= there_before - 1 and shots[n].fingerprint == wanted]
        if not proving:
            findings.append(f"false: {claim.address} was confirmed at {claim.statement.price} and had not shown it")
        elif not _is_newer_said(account.said[shows[claim.address]], claim.statement):
            others = [shot for shot in shots[proving[-1] :] if shot.fingerprint != wanted]
            if others:
                findings.append(
                    f"false: {claim.address} was confirmed at {claim.statement.price} and came to show something else"
                )
    return findings[:5]


def _is_newer_said(said: Iterable[Statement], claimed: Statement) -> bool:
    """Whether anything else was stated after this, or at once with it."""
    return any(one is not claimed and one.answered >= claimed.sent for one in said)


def dishonest(session_id: str, status: Mapping[str, Any], rows: int) -> list[str]:
    """A batch that is over has counts that add up, and everything it set out to do is done or overtaken."""
    tags = {name: status[f"tags{name}"] for name in ("Total", "Confirmed", "Superseded", "Failed", "Pending")}
    saved = sum(status[f"products{name}"] for name in ("Saved", "Duplicate", "Stale", "Rejected"))
    cancelled = status["status"] == "cancelled"
    rules = {
        "it is over": status["status"] in {"completed", "cancelled"},
        "every row was received": status["productsReceived"] == rows,
        "every row was saved": cancelled or saved == rows,
        "tags add up": tags["Total"] == sum(count for name, count in tags.items() if name != "Total"),
        "no tag is left": cancelled or tags["Failed"] == tags["Pending"] == 0,
    }
    return [f"batch {session_id}: not true that {rule}: {dict(status)}" for rule, holds in rules.items() if not holds]


def untold(events: Mapping[str, Any], got: Iterable[Got], finals: Mapping[str, str], confirmed: set[str]) -> list[str]:
    """Everything that happened was heard of, in the same words each time.

    A batch's end happened once if it was completed (`finals`: sessionId -> status). Of every display that the status
    said is `confirmed`, it was told.
    """
    heard: dict[str, set[bytes]] = {}
    for one in got:
        heard.setdefault(one.id, set()).add(one.body)
    findings = [f"untold: {kept['type']} {id_}" for id_, kept in events.items() if id_ not in heard]
    findings += [f"untold: {id_} is nothing that happened" for id_ in heard.keys() - events.keys()]
    findings += [f"untold: {id_} was told in {len(bodies)} ways" for id_, bodies in heard.items() if len(bodies) > 1]
    over = Counter(kept["data"]["sessionId"] for kept in events.values() if kept["type"] == "batch.completed")
    findings += [
        f"untold: batch {session} is {status} and was told of {over[session]} times"
        for session, status in finals.items()
        if over[session] != (status == "completed")
    ]
    shown = [kept["data"]["displays"] for kept in events.values() if kept["type"] == "display.confirmed"]
    told = {display["address"] for displays in shown for display in displays}
    return (findings + [f"untold: {address} was confirmed" for address in confirmed - told])[:5]
