"""A bounded part of the chaos: seeds that have every kind of trouble between them, and every seed that found something.

`make chaos SEED=… RUNS=… DATABASE=…` plays as many others as wanted.
"""

import asyncio
import json
from dataclasses import replace

import pytest

from display_drivers.simulator.display import Shot
from display_drivers.simulator.messages import GatewayStats, Seen, Stats, Traffic
from tests.chaos import judges
from tests.chaos.account import Account
from tests.chaos.ground import Ground, postgresql
from tests.chaos.plans import ON, plan
from tests.chaos.play import played
from tests.receiver import Got

pytestmark = pytest.mark.timeout(180)

KEPT = {
    ("SQLite", 67): "a clock that was set ahead ended the lease of a push that was under way",
    ("SQLite", 45): "of two kills at once one lost sight of what the other had killed, and nobody ended it",
    ("PostgreSQL", 4): "after the clock was turned back, whatever waited went on waiting for the time that was",
    ("PostgreSQL", 20): "the judges themselves gave up on a PostgreSQL that was recovering",
    ("PostgreSQL", 65): "a PostgreSQL that was crashed in the middle of its restart was brought back twice",
}
"""(Database, seed) -> what it found once."""
SEEDS = [
    *(("SQLite", seed) for seed in (2, 8, 13, 52, 53, 203, 226)),
    *(("PostgreSQL", seed) for seed in (14, 34, 36, 147, 161)),
    *KEPT,
]


@pytest.fixture(scope="module")
def grounds(tmp_path_factory):
    """A ground for each database, made when it is first asked for."""
    made, servers = {}, []

    def ground(database):
        if database not in made:
            server = None
            if database == "PostgreSQL":
                servers.append(postgresql())
                server = servers[-1].__enter__()
            made[database] = Ground(tmp_path_factory.mktemp("chaos") / "ground", server)
            asyncio.run(made[database].prepare())
        return made[database]

    yield ground
    for server in servers:
        server.__exit__(None, None, None)


@pytest.mark.parametrize(("database", "seed"), SEEDS)
def test_whatever_happens_nothing_is_lost_wrong_or_said_falsely(grounds, database, seed):
    came = asyncio.run(played(grounds(database), plan(seed, database)))
    assert came.findings == [], came.logs
    assert came.counts["faces shown"]
    assert came.counts["statements acknowledged"]


def test_the_seeds_that_are_played_here_have_every_kind_of_trouble():
    for database, kinds in ON.items():
        drawn = {trouble.kind for of, seed in SEEDS if of == database for trouble in plan(seed, of).troubles}
        assert drawn == kinds.keys()


def test_a_seed_is_the_same_plan_every_time_and_another_one_on_another_database():
    assert plan(1, "SQLite") == plan(1, "SQLite")
    assert replace(plan(1, "SQLite"), database="PostgreSQL") != plan(1, "PostgreSQL")


def statement(account, price, sent, answered=None):
    made = account.state("A", price, sent)
    if answered is not None:
        account.take(made, answered)
    return made


def test_what_was_answered_before_something_sure_was_said_is_not_allowed_any_more():
    account = Account()
    statement(account, "1.00", 0, 1)
    statement(account, "2.00", 2, 3)
    assert account.prices("A") == {"2.00"}


def test_what_was_said_at_once_may_have_come_in_either_order():
    account = Account()
    statement(account, "1.00", 0, 5)
    statement(account, "2.00", 2, 3)
    assert account.prices("A") == {"1.00", "2.00"}


def test_what_was_never_answered_may_be_in_and_replaces_nothing():
    account = Account()
    statement(account, "1.00", 0, 1)
    statement(account, "2.00", 2)
    assert account.prices("A") == {"1.00", "2.00"}


def test_the_judges_find_what_is_lost():
    account = Account()
    statement(account, "1.00", 0, 1)
    assert judges.lost(account, {"A": "1.00"}) == []
    assert judges.lost(account, {"A": "2.00"})
    assert judges.lost(account, {})


def test_the_judges_find_an_older_face_after_a_newer_one():
    quiet = Stats(True, 0, [], [GatewayStats("g1", 0, {}, Traffic(max_in_flight_per_display=1))])
    shots = [Shot("a", 1, 1, "x"), Shot("b", 3, 2, "y"), Shot("c", 2, 3, "x")]
    seen = Seen("D", "g1", None, history=shots)  # type: ignore[arg-type]
    assert judges.gone_back({"D": replaced(seen, shots[:2])}, quiet) == []
    assert judges.gone_back({"D": seen}, quiet)


def replaced(seen, history):
    return Seen(seen.address, seen.gateway, seen.panel, history=history)


def test_the_judges_find_what_was_not_told():
    def told(id_, **data):
        return Got("POST / HTTP/1.1", {"webhook-id": id_}, json.dumps(data).encode(), None)

    events = {
        "E1": {"type": "batch.completed", "data": {"sessionId": "b"}},
        "E2": {"type": "display.confirmed", "data": {"displays": [{"address": "D"}]}},
    }
    finals, got = {"b": "completed", "c": "cancelled"}, [told("E1"), told("E2"), told("E1")]
    assert judges.untold(events, got, finals, {"D"}) == []
    assert judges.untold(events, got[:1], finals, {"D"})
    assert judges.untold(events, [*got, told("E1", other=1)], finals, {"D"})
    assert judges.untold(events, [*got, told("E3")], finals, {"D"})
    assert judges.untold(events, got, finals, {"D", "E"})
    assert judges.untold(events, got, finals | {"c": "completed"}, {"D"})
    assert judges.untold(events, got, finals | {"b": "cancelled"}, {"D"})


def test_the_judges_find_a_batch_whose_counts_do_not_add_up():
    tags = {f"tags{name}": 0 for name in ("Total", "Confirmed", "Superseded", "Failed", "Pending")}
    rows = {f"products{name}": 0 for name in ("Saved", "Duplicate", "Stale", "Rejected", "Received")}
    right = tags | rows | {"status": "completed", "productsReceived": 2, "productsSaved": 2}
    assert judges.dishonest("b", right, rows=2) == []
    assert judges.dishonest("b", right | {"productsSaved": 1}, rows=2)
    assert judges.dishonest("b", right | {"tagsTotal": 1, "tagsPending": 1}, rows=2)
    assert judges.dishonest("b", right | {"status": "processing"}, rows=2)
