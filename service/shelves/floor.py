"""Setting up a shop floor in bulk: importing displays and binding products to them, line by line of a file.

A line that cannot be taken is refused with its number and reason and holds up no other. 1,000 lines are one
transaction, which also plans the faces that change, so that a file can be given again after a crash.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from service import auditing
from service.auditing import Who
from service.context import Shelfcast
from service.core import panels
from service.core.actions import Action
from service.core.barcodes import parse_barcode
from service.core.problems import RefusedError
from service.shelves.binding import MAX_SLOT, Bind, Report, Wanted, Writing, in_one_transaction
from service.store import tenants
from service.store.statements import chunks
from service.store.tenants import Gateway, Store
from service.tenants.stores import known_store

_ADDRESS_LIMIT = 100
_TEMPLATE_LIMIT = 64

Line = tuple[int, Mapping[str, str]]
"""A line of a file: its number and its values by column; an absent or blank column counts as not given."""

T = TypeVar("T")


class _LineError(Exception):
    """Why a line is refused."""


async def import_displays(
    ctx: Shelfcast, store: str, lines: Iterable[Line], *, by: str | Who, takeover: bool = False
) -> Report:
    """Make, move or change displays: columns address, gateway, panel and, if wanted, template, barcode and slot.

    A display that comes with another gateway of the same driver keeps its id, its bindings and its history.
    """
    async with ctx.db.read() as conn:
        owner = await known_store(conn, store)
        gateways = {gateway.name: gateway for gateway in await tenants.gateways_of(conn, owner.id)}
    seen: dict[tuple[str, str], int] = {}

    def understand(number: int, values: Mapping[str, str]) -> Wanted:
        wanted = _wanted(number, values, gateways)
        first = seen.setdefault((wanted.gateway.driver, wanted.address), number)
        if first != number:
            raise _LineError(f"Line {first} names display {wanted.address} already.")
        return wanted

    report = Report()
    for some in chunks(lines):
        rows = _understood(some, understand, report)
        await _write(ctx, owner, rows, _Verb(Writing.import_displays, Action.DISPLAYS_IMPORTED, by, takeover), report)
    return report


async def bind(ctx: Shelfcast, store: str, lines: Iterable[Line], *, by: str | Who, takeover: bool = False) -> Report:
    """Bind products to displays: columns display (or address), barcode and, if wanted, slot.

    A slot that shows another product is refused, or with `takeover` ended and bound anew; the history of both stays.
    """
    async with ctx.db.read() as conn:
        owner = await known_store(conn, store)
    report = Report()
    for some in chunks(lines):
        rows = _understood(some, _bind, report)
        await _write(ctx, owner, rows, _Verb(Writing.bind_named, Action.DISPLAY_BOUND, by, takeover), report)
    return report


class _Verb(msgspec.Struct, frozen=True):
    """What is done with lines, on whose word, and whether it may end what is bound."""

    do: Callable[[Writing, list[Any]], Awaitable[None]]
    action: Action
    by: str | Who
    takeover: bool


async def _write(ctx: Shelfcast, store: Store, rows: list[T], verb: _Verb, report: Report) -> None:
    who = verb.by if isinstance(verb.by, Who) else Who(store.organisation_id, store.id, verb.by)

    async def work(writing: Writing) -> Report:
        await verb.do(writing, rows)
        counts = msgspec.structs.asdict(writing.report) | {"refused": len(writing.report.refused)}
        await auditing.note(writing.conn, who, writing.now, verb.action, **counts)
        return writing.report

    if rows:
        report.add(await in_one_transaction(ctx, store, who.actor, work, takeover=verb.takeover))


def _understood(lines: Iterable[Line], understand: Callable[[int, Mapping[str, str]], T], report: Report) -> list[T]:
    rows = []
    for number, values in lines:
        try:
            rows.append(understand(number, {name: value.strip() for name, value in values.items() if value.strip()}))
        except _LineError as error:
            report.refuse(number, str(error))
    return rows


def _wanted(line: int, values: Mapping[str, str], gateways: Mapping[str, Gateway]) -> Wanted:
    address, name = _required(values, "address"), _required(values, "gateway")
    if len(address) > _ADDRESS_LIMIT or not address.isprintable():
        raise _LineError(f"An address is 1 to {_ADDRESS_LIMIT} printable characters; {address[:40]!r} is not.")
    gateway = gateways.get(name)
    if gateway is None or gateway.retired_at is not None:
        raise _LineError(f"The store has no gateway {name}; it has {', '.join(sorted(gateways)) or 'none'}.")
    template = values.get("template")
    if template is not None and (len(template) > _TEMPLATE_LIMIT or not template.isprintable()):
        raise _LineError(f"A template's name is 1 to {_TEMPLATE_LIMIT} printable characters.")
    barcode = _barcode(values) if "barcode" in values else None
    return Wanted(line, address, gateway, _panel(values), template, barcode, _slot(values))


def _bind(line: int, values: Mapping[str, str]) -> Bind:
    display = values.get("display") or values.get("address")
    if display is None:
        raise _LineError("The line names no display; give its address or id.")
    return Bind(line, display, _barcode(values), _slot(values))


def _required(values: Mapping[str, str], name: str) -> str:
    if name not in values:
        raise _LineError(f"The line has no {name}.")
    return values[name]


def _panel(values: Mapping[str, str]) -> str:
    try:
        return panels.parse(_required(values, "panel")).name
    except ValueError as error:
        raise _LineError(str(error)) from None


def _barcode(values: Mapping[str, str]) -> str:
    try:
        return parse_barcode(_required(values, "barcode"))
    except RefusedError as error:
        raise _LineError(str(error)) from None


def _slot(values: Mapping[str, str]) -> int:
    slot = values.get("slot", "0")
    if not (slot.isascii() and slot.isdigit() and int(slot) <= MAX_SLOT):
        raise _LineError(f"{slot[:20]!r} is not a slot; slots are numbers from 0 to {MAX_SLOT}.")
    return int(slot)
