"""What is on the glass outlives the process."""

import pytest

from display_drivers.base import Panel
from display_drivers.gateway.wire import Item, Screen
from display_drivers.simulator.settings import Behaviour
from display_drivers.simulator.store import Options, VirtualStore

START = 1_000_000
PANEL = Panel(296, 128)
ONE = "SIM000001"


@pytest.fixture
def opened(tmp_path):
    """Opens the store anew on one journal, without closing the one before: as after kill -9."""
    stores = []

    def open_store():
        behaviour = Behaviour(takes="data", drain=1)
        options = Options(displays=2, time_scale=0, behaviour=behaviour, state=str(tmp_path / "glass"))
        stores.append(VirtualStore(options, START))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "glass"


def show(store, revision, address=ONE, gateway="g1"):
    item = Item(f"t{revision}", address, revision, Screen.of(PANEL), data={"name": "Ž", "revision": revision})
    [outcome] = store.gateways[gateway].push([item], START + revision)
    store.advance(START + revision)
    return outcome.outcome


def test_a_restarted_store_knows_what_its_displays_show(opened):
    store = opened()
    show(store, 1)
    show(store, 2)
    again = opened()
    display = again.display(ONE)
    assert display.glass == store.display(ONE).glass
    assert display.history == store.display(ONE).history
    assert display.battery == 98
    assert show(again, 1) == "stale"
    assert again.display("SIM000002").glass is None


def test_what_was_held_is_forgotten(opened):
    store = opened()
    store.display(ONE).absent_since = START
    show(store, 1)
    assert opened().gateways["g1"].held == {}


def test_a_line_that_was_cut_off_is_left_out_and_does_not_spoil_the_next(opened, journal):
    store = opened()
    show(store, 1)
    show(store, 2)
    journal.write_bytes(journal.read_bytes()[:-5])
    cut = opened()
    assert cut.display(ONE).glass.revision == 1
    show(cut, 3)
    assert [shot.revision for shot in opened().display(ONE).history] == [1, 3]


def test_old_content_is_not_kept_for_ever(opened, journal):
    store = opened()
    for revision in range(1, 30):
        show(store, revision)
    opened()
    assert journal.read_bytes().count(b'"data"') == 1
    assert journal.read_bytes().count(b'"shot"') == 29


def test_displays_that_were_added_moved_or_removed_stay_so(opened):
    store = opened()
    new = store.add_gateway("attic", Behaviour(takes="data"))
    store.add_display(new, "NEW", PANEL, START)
    show(store, 1, "NEW", "attic")
    store.add_display(store.gateways["g1"], "NEW", PANEL, START)
    store.remove_display("SIM000002")
    store.advance(START)
    for _ in range(2):  # also once the journal has been written anew
        again = opened()
        assert sorted(again.home) == ["NEW", ONE]
        assert again.home["NEW"].name == "g1"
        assert again.display("NEW").glass.revision == 1
