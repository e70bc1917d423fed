"""Whatever a POS does, in whatever order, the API answers and the database holds what the model of the contract says.

`SHELFCAST_EXAMPLES=2000` runs that many random histories of each kind instead of the same few each time.
"""

import json
import os
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase
from hypothesis import settings as limits
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from service.auditing import by
from service.batches import guarding
from service.settings import Settings
from tests.contract import model
from tests.contract.world import Side, World, expected_products, opened_world
from tests.shop import MINUTE

EXAMPLES = int(os.environ.get("SHELFCAST_EXAMPLES", "0"))
FEW = {"sqlite": 30, "postgresql": 20}
STEPS = 30
NOTHING = object()
"""Drawn for a field that is left out."""


def limits_of(database: str) -> limits:
    return limits(
        max_examples=EXAMPLES or FEW[database],
        stateful_step_count=STEPS,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


def row(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    drawn = {name: st.sampled_from(values) for name, values in fields.items()}
    return st.fixed_dictionaries(drawn).map(lambda made: {k: v for k, v in made.items() if v is not NOTHING})


PRICES = ("1.00", "1.50", 1.5, "2.50", "1.005", {"amount": "2.50", "currency": "EUR"})
good = row(
    barcode=("A", "B", "C", "D", " A "),
    name=("Tea", "Čaj"),
    price=PRICES,
    salePrice=(NOTHING, NOTHING, "1.20", "9.00", None),
    stock=(NOTHING, NOTHING, 3, "3.0", None),
    sourceUpdatedAt=(NOTHING, NOTHING, NOTHING, *model.MOMENTS),
)
doubtful = row(
    barcode=("A", "B", "C", "D", NOTHING, 5),
    name=("Tea", NOTHING, None),
    price=(*PRICES, NOTHING, None, "-1", "1.23456", "dear"),
    salePrice=(NOTHING, "1.20", None, "-0.5"),
    stock=(NOTHING, 4),
)
change = row(
    barcode=("A", "B", "C", "D"),
    name=(NOTHING, NOTHING, "Tee", None),
    price=(NOTHING, *PRICES, None),
    salePrice=(NOTHING, NOTHING, "1.20", None),
    stock=(NOTHING, 7, None),
    sourceUpdatedAt=(NOTHING, NOTHING, *model.MOMENTS),
)
whole_rows = st.lists(st.one_of(good, good, good, doubtful, st.sampled_from(["nonsense", None])), max_size=4)
patch_rows = st.lists(st.one_of(change, change, doubtful), min_size=1, max_size=3)


class PointOfSale(RuleBasedStateMachine):
    """Two stores, whose POS systems do whatever the API lets them do."""

    world: World
    sessions: Bundle[tuple[int, str]] = Bundle("sessions")

    @initialize()
    def open_two_stores(self) -> None:
        self.sides = [Side(self.world), Side(self.world)]

    @rule(target=sessions, which=st.sampled_from([0, 0, 1]), mode=st.sampled_from(["merge", "merge", "full"]),
          expected=st.sampled_from([None, None, 0, 3]), reference=st.sampled_from([None, "nightly"]))  # fmt: skip
    def start(self, which: int, mode: str, expected: int | None, reference: str | None) -> tuple[int, str]:
        side = self.sides[which]
        body = {"mode": mode, "expectedProducts": expected, "reference": reference}
        answer = side.ask("POST", "/batch/start", body)
        assert answer.status_code == 201
        told = answer.json()
        assert (told["mode"], told["reference"], told["maxProductsPerPush"]) == (mode, reference, 1000)
        id_ = told["sessionId"]
        side.model.sessions[id_] = model.Session(id_, mode, expected, reference, side.model.next_seq(1))
        return which, id_

    @rule(which=st.sampled_from([0, 0, 1]), rows=whole_rows.filter(bool))
    def add(self, which: int, rows: list[Any]) -> None:
        self._change(self.sides[which], "/add", "whole", rows)

    @rule(which=st.sampled_from([0, 0, 1]), rows=patch_rows)
    def update(self, which: int, rows: list[Any]) -> None:
        self._change(self.sides[which], "/productUpdate", "patch", rows)

    def _change(self, side: Side, path: str, kind: str, rows: list[Any]) -> None:
        answer = side.ask("POST", path, {"products": rows})
        found, counts = side.model.change(rows, kind)
        check_rows(answer, rows, found, [*found.warnings, *found.doubles()])
        told = answer.json()
        assert {name: told[name] for name in counts} == counts

    @rule(at=sessions, rows=whole_rows, key=st.sampled_from([None, None, "k1", "k2"]),
          sequence=st.sampled_from([None, None, 0, 1, 2]))  # fmt: skip
    def push(self, at: tuple[int, str], rows: list[Any], key: str | None, sequence: int | None) -> None:
        body = {"sessionId": at[1], "products": rows} | ({} if sequence is None else {"sequence": sequence})
        self._push(at, json.dumps(body).encode(), rows, key, sequence)

    @rule(at=sessions, which=st.integers(0, 5), key=st.sampled_from([None, "k1", "k2"]))
    def push_again(self, at: tuple[int, str], which: int, key: str | None) -> None:
        """The same bytes as before, most often under the same key."""
        pushes = self.sides[at[0]].model.sessions[at[1]].pushes
        if pushes:
            before = pushes[which % len(pushes)]
            self._push(at, before.body, before.sent, key or before.key, before.sequence)

    def _push(self, at: tuple[int, str], body: bytes, rows: list[Any], key: str | None, sequence: int | None) -> None:
        side, session = self.sides[at[0]], self.sides[at[0]].model.sessions[at[1]]
        answer = side.ask("POST", "/batch/push", body, key)
        before = session.pushed_before(key, sequence)
        if before is not None:
            check_repeated(answer, before, body)
        elif session.status != "open":
            assert answer.status_code == (410 if session.status == "expired" else 409)
        else:
            found = model.read(rows, "whole")
            check_rows(answer, rows, found, [*found.warnings, *found.doubles()])
            told = answer.json()
            assert (told["sessionId"], told["sequence"], told["created"]) == (session.id, sequence, None)
            first = side.model.next_seq(len(found.rows))
            session.pushes.append(model.Push(key, sequence, rows, body, first, found, told))

    @rule(at=sessions)
    def complete(self, at: tuple[int, str]) -> None:
        side, session = self.sides[at[0]], self.sides[at[0]].model.sessions[at[1]]
        answer = side.ask("POST", "/batch/complete", {"sessionId": at[1]})
        if session.status == "open" and session.expected is not None and session.received < session.expected:
            assert answer.status_code == 409
        elif session.status in {"cancelled", "expired"}:
            assert answer.status_code == {"cancelled": 409, "expired": 410}[session.status]
        else:
            assert (answer.status_code, answer.json()) == (
                202,
                {"sessionId": session.id, "reference": session.reference, "status": "processing"},
            )
            side.model.complete(session)

    @rule(at=sessions)
    def cancel(self, at: tuple[int, str]) -> None:
        side, session = self.sides[at[0]], self.sides[at[0]].model.sessions[at[1]]
        answer = side.ask("POST", f"/batch/{at[1]}/cancel")
        if session.waited and answer.status_code == 409:
            return  # nobody answered in the time to prove, so it is over
        if session.status in {"completed", "expired"}:
            assert answer.status_code == {"completed": 409, "expired": 410}[session.status]
            return
        side.model.cancel(session)
        check_status(answer, session)

    @rule(at=sessions, key=st.sampled_from([None, "k1"]))
    def meddle(self, at: tuple[int, str], key: str | None) -> None:
        """The other store's token finds no such session, whatever it tries."""
        other = self.sides[1 - at[0]]
        for method, path, body in (
            ("POST", "/batch/push", {"sessionId": at[1], "products": [{"barcode": "A", "name": "X", "price": 9}]}),
            ("POST", "/batch/complete", {"sessionId": at[1]}),
            ("POST", f"/batch/{at[1]}/cancel", None),
            ("GET", f"/batch/{at[1]}/status", None),
            ("GET", f"/batch/{at[1]}/errors", None),
            ("GET", f"/batch/{at[1]}/displays", None),
            ("GET", f"/batch/{at[1]}/events", None),
        ):
            assert other.ask(method, path, body, key).status_code == 404

    @rule(which=st.sampled_from([0, 1]))
    def save(self, which: int) -> None:
        self.sides[which].save()

    @rule(at=sessions)
    def release(self, at: tuple[int, str]) -> None:
        side, session = self.sides[at[0]], self.sides[at[0]].model.sessions[at[1]]
        if session.status == "held":
            self.world.run(guarding.release(self.world.ctx, side.caller.store_id, by(side.caller), at[1]))
            session.status, session.is_released = "processing", True

    @rule()
    def wait(self) -> None:
        """Longer than a session is open, and than displays have to prove themselves."""
        self.world.clock.advance(31 * MINUTE)
        for session in (one for side in self.sides for one in side.model.sessions.values()):
            session.waited = True
            if session.status == "open":
                session.status = "expired"

    @rule(at=sessions)
    def look(self, at: tuple[int, str]) -> None:
        """The session's status and lists."""
        side, session = self.sides[at[0]], self.sides[at[0]].model.sessions[at[1]]
        check_status(side.ask("GET", f"/batch/{at[1]}/status"), session)
        listed = side.ask("GET", f"/api/v1/batch/{at[1]}/errors?perPage=1000").json()["data"]
        wanted = [(n, *error) for n, push in enumerate(session.pushes) for error in push.read.errors]
        assert sorted((e["push"], e["index"], e["field"] or "", e["code"]) for e in listed) == sorted(
            (push, index, field or "", code) for push, index, field, code in wanted
        )
        tags = side.ask("GET", f"/batch/{at[1]}/displays").json()["data"]
        assert {tag["address"]: tag["state"] for tag in tags} == session.tags

    @invariant()
    def products_and_faces_are_the_models(self) -> None:
        for side in getattr(self, "sides", ()):
            assert self.world.run(side.products()) == expected_products(side.model)
            assert self.world.run(side.faces()) == side.model.faces()

    def teardown(self) -> None:
        for which, side in enumerate(getattr(self, "sides", ())):
            side.save()
            for id_ in side.model.sessions:
                self.look((which, id_))
        self.products_and_faces_are_the_models()


def check_rows(answer: httpx.Response, rows: list[Any], found: model.Read, warnings: list[model.Finding]) -> None:
    """The answer counts and explains each row as the model does."""
    told = answer.json()
    assert answer.status_code == (422 if rows and found.refused == len(rows) else 200)
    assert (told["received"], told["accepted"], told["rejected"]) == (
        len(rows),
        len(rows) - found.refused,
        found.refused,
    )
    assert findings(told["errors"]) == sorted(found.errors, key=repr)
    assert findings(told["warnings"]) == sorted(warnings, key=repr)


def findings(told: list[dict[str, Any]]) -> list[model.Finding]:
    return sorted(((each["index"], each["field"], each["code"]) for each in told), key=repr)


def check_repeated(answer: httpx.Response, before: model.Push, body: bytes) -> None:
    if before.body != body:
        assert answer.status_code == 409
    else:
        told = answer.json()
        assert {name: told[name] for name in before.answer if name != "requestId"} == {
            name: value for name, value in before.answer.items() if name != "requestId"
        }


def check_status(answer: httpx.Response, session: model.Session) -> None:
    assert answer.status_code == 200
    told = answer.json()
    unanswered = session.waited and session.status == "processing" and told["status"] == "completed"
    assert told["status"] == session.status or unanswered
    refused = sum(push.read.refused for push in session.pushes)
    assert (told["pushes"], told["productsReceived"], told["productsRejected"]) == (
        len(session.pushes),
        session.received,
        refused,
    )
    for name in ("created", "updated", "unchanged", "stale", "duplicate", "archived"):
        assert (name, told[f"products{name.title()}"]) == (name, session.counts.get(name, 0))
    assert told["productsSaved"] == told["productsCreated"] + told["productsUpdated"] + told["productsUnchanged"]
    total, pending, superseded = session.tag_counts()
    assert (told["tagsTotal"], told["tagsPending"], told["tagsSuperseded"]) == (total, pending, superseded)
    assert told["tagsSent"] == told["tagsConfirmed"] == told["tagsFailed"] == 0
    assert (told["reference"], told["mode"], told["expectedProducts"]) == (
        session.reference,
        session.mode,
        session.expected,
    )


def test_whatever_is_done_in_whatever_order_the_api_does_what_the_contract_says(settings: Settings) -> None:
    database = settings.sqlalchemy_url.partition("+")[0]
    with opened_world(settings) as world:
        machine = type("PointOfSale", (PointOfSale,), {"world": world})
        run_state_machine_as_test(machine, settings=limits_of(database))  # type: ignore[no-untyped-call]
