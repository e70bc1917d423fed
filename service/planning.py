"""From what is bound to a display to the face it should show, and to the update that takes it there.

Runs inside the transaction of whoever changed a product or a binding; of a batch, a display with two products waits
for the last push, so that it is drawn once (docs/adr/0008).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from service.core import faces, panels
from service.core.faces import Face
from service.core.templates import Template
from service.core.updates import Phase
from service.ids import new_id
from service.rendering import RENDERER_VERSION
from service.saving import OnSale, facts_of, on_sale
from service.store import displays, products, tags, updates
from service.store.database import Connection, Record
from service.store.displays import Slots
from service.store.tags import Tally
from service.templates import Chooser, chooser, keep

_decode_ids = msgspec.json.Decoder(list[str]).decode
_encode = msgspec.json.Encoder().encode
_NONE: Mapping[str, OnSale] = {}


@dataclass
class Planned:
    """What planning came to.

    Attributes:
        gateways: (Store, gateway) to ring once the transaction is committed.
        changed: Displays whose desired face is a new one.
        batches: Batches whose counters moved.
    """

    gateways: set[tuple[int, str]] = field(default_factory=set)
    changed: list[str] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)


async def plan_displays(
    connection: Connection,
    store_id: int,
    slots: Slots,
    now: int,
    cause: str,
    batch_id: str | None = None,
    known: Mapping[str, OnSale] = _NONE,
) -> Planned:
    """Set the desired face of the displays in `slots` and make an update for each that has a new one.

    A display whose desired face stays is left alone, whatever it shows. With `batch_id`, displays with a new face
    become the batch's, and those without leave it. `known`: products that need not be read, since this transaction
    wrote them. The caller holds the store's lock.
    """
    if not slots:
        return Planned()
    store = await products.lock_store(connection, store_id)
    locked = await displays.lock(connection, store_id, slots, displays.PLANNED)
    shelf = await _Shelf.of(connection, store, locked, slots, now, known)
    looks = {display["id"]: shelf.look(display) for display in locked}
    changed = [display for display in locked if looks[display["id"]].digest != display["desired_digest"]]
    same = [display for display in locked if looks[display["id"]].digest == display["desired_digest"]]
    await _note_prices(connection, store_id, shelf, same, now)
    if batch_id:
        await tags.forget(connection, store_id, batch_id, slots.keys() - {d["id"] for d in changed})
    if not changed:
        return Planned()
    new = {looks[display["id"]].digest: looks[display["id"]] for display in changed}
    await keep(connection, store_id, [look.template for look in new.values() if look.template], now)
    await displays.save_faces(
        connection, [_face_row(store_id, look.face, look, now) for look in new.values() if look.face]
    )
    wishes = [
        _Wish(display, looks[display["id"]].digest, shelf.price_ids(display), cause, batch_id) for display in changed
    ]
    return await _replace(connection, store_id, wishes, now)


async def redrive(connection: Connection, store_id: int, display_ids: Collection[str], now: int, cause: str) -> Planned:
    """Make a new update for displays that do not show what they should and that nothing is driving."""
    store = await products.lock_store(connection, store_id)
    locked = await displays.lock(connection, store_id, display_ids, displays.PLANNED)
    driven = await updates.open_of(connection, store_id, [display["id"] for display in locked])
    wrong = [
        display
        for display in locked
        if display["id"] not in driven and display["desired_digest"] and not is_right(display)
    ]
    if not wrong:
        return Planned()
    slots = await displays.slots(connection, store_id, [display["id"] for display in wrong])
    shelf = await _Shelf.of(connection, store, wrong, slots, now)
    wishes = [_Wish(d, d["desired_digest"], shelf.stated_prices(d), cause, None) for d in wrong]
    return await _replace(connection, store_id, wishes, now)


async def resend(connection: Connection, store_id: int, display_id: str, now: int) -> Planned:
    """Make a new update of the desired face of a display that is locked, although it may be proven to show it.

    A revision that nothing was ever sent of is skipped and counts as pushed: from now on the display is wrong, until
    something newer than that is proven.
    """
    planned = await displays.lock(connection, store_id, [display_id], displays.PLANNED)
    slots = await displays.slots(connection, store_id, [display_id])
    store = await products.lock_store(connection, store_id)
    shelf = await _Shelf.of(connection, store, planned, slots, now)
    doubted = [{**display, "desired_revision": display["desired_revision"] + 1} for display in planned]
    await displays.set_columns(
        connection, [{"store_id": store_id, "id": d["id"], "pushed_revision": d["desired_revision"]} for d in doubted]
    )
    wishes = [_Wish(d, d["desired_digest"], shelf.stated_prices(d), "resend", None, again=True) for d in doubted]
    return await _replace(connection, store_id, wishes, now)


async def withdraw(connection: Connection, store_id: int, display_ids: Collection[str], now: int) -> list[str]:
    """Drop what displays that are locked are being driven to; the batches whose counters moved."""
    rows = [
        {"store_id": store_id, "id": row["id"], "phase": Phase.SUPERSEDED, "closed_at": now}
        for row in (await updates.open_of(connection, store_id, display_ids)).values()
    ]
    await updates.set_columns(connection, rows)
    tally = Tally(store_id)
    detail = "The display was retired before this face was proven."
    await _give_up_tags(connection, await tags.of_displays(connection, store_id, display_ids), tally, now, detail)
    await tally.apply(connection)
    return tally.batches


def is_right(display: Record | dict[str, Any]) -> bool:
    """Proven to show its desired face, and nothing else was sent to it since. As `tables.display_is_wrong`."""
    return _surely_shows(display, display["desired_digest"])


def _surely_shows(display: Record | dict[str, Any], digest: str | None) -> bool:
    if digest != display["shown_digest"]:
        return False
    return int(display["pushed_revision"]) <= int(display["shown_revision"])


class _Look(NamedTuple):
    """A face as it is stored; nothing at all where a display is not ours to change."""

    face: Face | None = None
    content: bytes = b""
    digest: str | None = None
    template: Template | None = None


class _Shelf:
    """The products behind some displays at one moment."""

    def __init__(
        self, store: Record, templates: Chooser, slots: Slots, on_sale: Mapping[str, OnSale], now: int
    ) -> None:
        self._facts = facts_of(store)
        self._templates = templates
        self._slots = slots
        self._on_sale = on_sale
        self._now = now

    @classmethod
    async def of(
        cls,
        connection: Connection,
        store: Record,
        its_displays: Collection[Record],
        slots: Slots,
        now: int,
        known: Mapping[str, OnSale] = _NONE,
    ) -> "_Shelf":
        templates = await chooser(connection, store, {display["template"] for display in its_displays})
        barcodes = {barcode for bound in slots.values() for barcode in bound.values()} - known.keys()
        return cls(store, templates, slots, {**known, **await on_sale(connection, store["id"], barcodes)}, now)

    def look(self, display: Record | dict[str, Any]) -> _Look:
        """Without a face if nothing was ever bound that the store has had: the display is not ours to change."""
        bound = self._slots[display["id"]]
        known = {slot: self._on_sale[barcode].product for slot, barcode in bound.items() if barcode in self._on_sale}
        blank = {0: None} if display["desired_digest"] else {}
        first = next((product for _, product in sorted(known.items()) if product), None)
        template = self._templates.of(display["panel"], first.category if first else None, display["template"])
        panel = panels.parse(display["panel"])
        face = faces.plan_face(known or blank, panel, template, self._facts, self._now)
        if face is None:
            return _Look()
        content = faces.encoded(face)
        return _Look(face, content, faces.digest_of(content), template)

    def price_ids(self, display: Record | dict[str, Any]) -> list[str]:
        here = (self._on_sale.get(barcode) for barcode in self._slots[display["id"]].values())
        return sorted({one.price_id for one in here if one and one.price_id})

    def stated_prices(self, display: Record | dict[str, Any]) -> list[str]:
        """Prices that the desired face states: none, while a face that follows from newer ones is not planned yet."""
        return self.price_ids(display) if self.look(display).digest == display["desired_digest"] else []


async def _note_prices(connection: Connection, store_id: int, shelf: _Shelf, same: list[Record], now: int) -> None:
    """Prices may be new where no face is: proven on displays that are right, to be proven on those under way."""
    on_shelf = {id_ for display in same if is_right(display) for id_ in shelf.price_ids(display)}
    await products.prove_prices(connection, store_id, on_shelf, now)
    stated = {display["id"]: shelf.price_ids(display) for display in same if not is_right(display)}
    rows = [
        {
            "store_id": store_id,
            "id": row["id"],
            "price_ids": _encode(sorted({*_decode_ids(row["price_ids"]), *stated[id_]})).decode(),
        }
        for id_, row in (await updates.open_of(connection, store_id, stated)).items()
    ]
    await updates.set_columns(connection, rows)


@dataclass(frozen=True)
class _Wish:
    """A display and the face it should come to; `again`: even if it was proven to show it."""

    display: Record | dict[str, Any]
    digest: str | None
    price_ids: list[str]
    cause: str
    batch_id: str | None
    again: bool = False

    @property
    def revision(self) -> int:
        return int(self.display["desired_revision"]) + 1


async def _replace(connection: Connection, store_id: int, wishes: list[_Wish], now: int) -> Planned:
    """Let these wishes take the place of whatever their displays were being driven to."""
    ids = [wish.display["id"] for wish in wishes]
    replaced = await updates.open_of(connection, store_id, ids)
    await updates.set_columns(
        connection,
        [
            {"store_id": store_id, "id": row["id"], "phase": Phase.SUPERSEDED, "closed_at": now}
            for row in replaced.values()
        ],
    )
    driven = [wish for wish in wishes if _needs_update(wish)]
    made = {wish.display["id"]: _update_row(store_id, wish, now) for wish in driven}
    await updates.insert(connection, list(made.values()))
    await displays.set_columns(connection, [_desired(store_id, wish, now) for wish in wishes])
    await products.prove_prices(
        connection,
        store_id,
        {id_ for wish in wishes if wish.display["id"] not in made for id_ in wish.price_ids},
        now,
    )
    tally = Tally(store_id)
    await _supersede_tags(connection, store_id, wishes, tally, now)
    await _enter_batch(connection, store_id, wishes, made, tally, now)
    await tally.apply(connection)
    return Planned({(store_id, wish.display["gateway_id"]) for wish in driven}, ids, tally.batches)


def _needs_update(wish: _Wish) -> bool:
    """Whether the display has to be sent anything.

    Back to the face it was last proven to show, before the other one was ever sent: no. Once a push may have left,
    what was proven is not what will be shown (A, B in the air, A again), and A has to be sent after B.
    """
    return wish.again or not _surely_shows(wish.display, wish.digest)


def _update_row(store_id: int, wish: _Wish, now: int) -> dict[str, Any]:
    id_ = new_id()
    return {
        "store_id": store_id,
        "id": id_,
        "display_id": wish.display["id"],
        "gateway_id": wish.display["gateway_id"],
        "digest": wish.digest,
        "revision": wish.revision,
        "phase": Phase.PENDING,
        "cause": wish.cause,
        "batch_id": wish.batch_id,
        "price_ids": _encode(wish.price_ids).decode(),
        "mark": id_,
        "created_at": now,
        "due_at": now,
    }


def _desired(store_id: int, wish: _Wish, now: int) -> dict[str, Any]:
    same = wish.digest == wish.display["desired_digest"]
    return {
        "store_id": store_id,
        "id": wish.display["id"],
        "desired_digest": wish.digest,
        "desired_revision": wish.revision,
        "desired_at": now,
        "retry_at": None,
        "failure": wish.display["failure"] if same else None,
        "failure_detail": wish.display["failure_detail"] if same else None,
    }


async def _supersede_tags(connection: Connection, store_id: int, wishes: list[_Wish], tally: Tally, now: int) -> None:
    """Rows of earlier batches that want another face of these displays will not get it any more."""
    wanted = {wish.display["id"]: wish.digest for wish in wishes}
    found = await tags.of_displays(connection, store_id, wanted)
    over = [tag for tag in found if tag["digest"] != wanted[tag["display_id"]]]
    await _give_up_tags(connection, over, tally, now, "A newer face took its place before this one was proven.")


async def _give_up_tags(
    connection: Connection, given_up: Collection[Record], tally: Tally, now: int, detail: str
) -> None:
    rows = []
    for tag in given_up:
        tally.move(tag["batch_id"], tag["state"], "superseded")
        rows.append(
            {
                "store_id": tag["store_id"],
                "batch_id": tag["batch_id"],
                "display_id": tag["display_id"],
                "state": "superseded",
                "closed_at": now,
                "reason": "superseded",
                "detail": detail,
            }
        )
    await tags.set_columns(connection, rows)


async def _enter_batch(
    connection: Connection,
    store_id: int,
    wishes: list[_Wish],
    made: dict[str, dict[str, Any]],
    tally: Tally,
    now: int,
) -> None:
    """The displays become their batch's; one that is proven to show the face already is confirmed at once."""
    rows = []
    for wish in wishes:
        if wish.batch_id is None:
            continue
        update = made.get(wish.display["id"])
        tally.add(wish.batch_id, "tags_total")
        if update is None:
            tally.add(wish.batch_id, "tags_sent")
            tally.move(wish.batch_id, None, "confirmed")
            tally.prove(wish.batch_id, wish.display["shown_proof"])
        rows.append(
            {
                "store_id": store_id,
                "batch_id": wish.batch_id,
                "display_id": wish.display["id"],
                "digest": wish.digest,
                "update_id": update and update["id"],
                "state": "pending" if update else "confirmed",
                "planned_at": now,
                "sent_at": None if update else now,
                "closed_at": None if update else now,
                "proof": None if update else wish.display["shown_proof"],
            }
        )
    await tags.enter(connection, rows)


def _face_row(store_id: int, face: Face, look: _Look, now: int) -> dict[str, Any]:
    return {
        "store_id": store_id,
        "digest": look.digest,
        "content": look.content.decode(),
        "panel": face.panel.name,
        "template": face.template,
        "template_version": face.template_version,
        "renderer_version": RENDERER_VERSION,
        "created_at": now,
    }
