"""The simulated hardware by itself: no socket, no clock but the numbers that the tests pass in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from display_drivers.base import Panel
from display_drivers.gateway.wire import Item, Screen
from display_drivers.simulator.settings import Behaviour
from display_drivers.simulator.store import Options, VirtualStore

START = 1_000_000
PANEL = Panel(296, 128, "BW")
ONE, TWO, THREE = (f"SIM{number:06d}" for number in (1, 2, 3))
QUICK = {"takes": "data", "check_in": 10, "transfer": 1, "refresh": 2}


def furnished(displays=3, seed=1, time_scale=1.0, panel=PANEL, **behaviour):
    settings = Behaviour(**QUICK | behaviour)
    options = Options(displays=displays, panels=(panel,), seed=seed, time_scale=time_scale, behaviour=settings)
    return VirtualStore(options, START)


def item(address, revision, token=None):
    token = token or f"{address}-{revision}"
    return Item(token, address, revision, Screen.of(PANEL), data={"revision": revision})


def pushed(store, now, *items):
    """The outcomes' words."""
    store.advance(now)
    return [outcome.outcome for outcome in store.gateways["g1"].push(items, now)]


def played(store, now=START, until=START + 10_000_000):
    """Lets everything happen, one moment after the other, and gives the reports in order."""
    reports = store.advance(now)
    while (due := store.timeline.next_due()) is not None and due <= until:
        reports += store.advance(due)
    return [report for _, report in reports]


def shots(store, address):
    return [shot.revision for shot in store.display(address).history]


def test_an_update_waits_for_check_in_radio_and_refresh():
    store = furnished(displays=1)
    display = store.display(ONE)
    check_in = display.next_check_in(START, store.gateways["g1"].behaviour, store.timeline)
    pushed(store, START, item(ONE, 1))
    store.advance(check_in + 999)
    assert display.delivered is None
    store.advance(check_in + 1000)
    assert display.delivered is not None
    assert display.glass is None
    store.advance(check_in + 3000)
    assert display.glass.revision == 1
    assert display.history[0].at == check_in + 3000


def test_check_ins_are_spread_and_come_back_every_interval():
    store = furnished(displays=50)
    own = store.gateways["g1"].behaviour
    firsts = {store.display(a).next_check_in(START, own, store.timeline) for a in store.home}
    assert len(firsts) > 40
    assert all(START <= first < START + 10_000 for first in firsts)
    display = store.display(ONE)
    first = display.next_check_in(START, own, store.timeline)
    assert display.next_check_in(first + 1, own, store.timeline) == first + 10_000
    assert display.last_check_in(first + 9_999, own, store.timeline) == first


def test_the_radio_serves_one_display_at_a_time():
    store = furnished(displays=20, check_in=0)
    pushed(store, START, *(item(address, 1) for address in store.home))
    played(store)
    ends = sorted(store.display(address).history[0].at for address in store.home)
    assert ends == [START + 2000 + 1000 * number for number in range(1, 21)]


def test_gateways_do_not_share_a_radio():
    store = VirtualStore(Options(displays=2, gateways=2, behaviour=Behaviour(**QUICK | {"check_in": 0})), START)
    for name, address in (("g1", ONE), ("g2", TWO)):
        screen = Screen(296, 128, "BWR")
        store.gateways[name].push([Item("t", address, 1, screen, data={})], START)
    played(store)
    assert store.display(ONE).history[0].at == store.display(TWO).history[0].at


@pytest.mark.parametrize(
    ("panel", "seconds"),
    [(Panel(296, 128, "BW"), 1 + 2), (Panel(296, 128, "BWR"), 2 + 12), (Panel(592, 256, "BW"), 4 + 2)],
)
def test_larger_panels_and_more_inks_take_longer(panel, seconds):
    store = furnished(displays=1, check_in=0, panel=panel)
    store.gateways["g1"].push([Item("t", ONE, 1, Screen.of(panel), data={})], START)
    played(store)
    assert store.display(ONE).history[0].at == START + seconds * 1000


@pytest.mark.parametrize("time_scale", [10, 1000])
def test_the_time_scale_divides_every_duration(time_scale):
    store = furnished(displays=1, check_in=0, time_scale=time_scale)
    pushed(store, START, item(ONE, 1))
    played(store)
    assert store.display(ONE).history[0].at == START + 3000 // time_scale


def test_at_time_scale_0_everything_is_shown_at_once():
    store = furnished(displays=3, time_scale=0)
    pushed(store, START, item(ONE, 1), item(TWO, 1))
    store.advance(START)
    assert [bool(store.display(address).glass) for address in (ONE, TWO, THREE)] == [True, True, False]
    assert store.settled()


def test_an_update_that_waits_is_replaced_by_a_newer_one():
    store = furnished()
    assert pushed(store, START, item(ONE, 1)) == ["accepted"]
    assert pushed(store, START, item(ONE, 2)) == ["accepted"]
    played(store)
    assert shots(store, ONE) == [2]


def test_an_update_on_air_lands_before_the_newer_one_that_came_meanwhile():
    store = furnished(displays=1, check_in=0)
    pushed(store, START, item(ONE, 1))
    pushed(store, START + 500, item(ONE, 2))
    played(store)
    assert shots(store, ONE) == [1, 2]


def test_a_repeated_token_is_accepted_and_shown_once():
    store = furnished(displays=1, check_in=0)
    for when in (0, 500, 1500, 60_000):  # held, on air, refreshing, shown
        assert pushed(store, START + when, item(ONE, 1)) == ["accepted"]
    played(store)
    assert shots(store, ONE) == [1]


def test_the_same_revision_with_another_token_is_shown_anew():
    store = furnished(displays=1)
    pushed(store, START, item(ONE, 1, "first"))
    played(store)
    assert pushed(store, START + 60_000, item(ONE, 1, "second")) == ["accepted"]
    assert played(store)[-1].shows == "second"


@pytest.mark.parametrize("when", [0, 500, 1500, 60_000])
def test_an_older_revision_is_stale_wherever_the_newer_one_is(when):
    store = furnished(displays=1, check_in=0)
    pushed(store, START, item(ONE, 5))
    store.advance(START + when)
    [outcome] = store.gateways["g1"].push([item(ONE, 4)], START + when)
    assert (outcome.outcome, outcome.revision) == ("stale", 5)


def test_hardware_that_does_not_keep_the_order_goes_back_and_is_seen_doing_it():
    store = furnished(displays=1, keeps_order=False)
    pushed(store, START, item(ONE, 5))
    played(store)
    assert pushed(store, START + 60_000, item(ONE, 4)) == ["accepted"]
    played(store)
    assert shots(store, ONE) == [5, 4]
    assert store.gateways["g1"].violations == [(ONE, 5, 4)]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5000), st.booleans()), max_size=30), st.integers(0, 9))
def test_a_glass_never_goes_back_whatever_comes_in_which_order(pushes, seed):
    store = furnished(displays=1, seed=seed, check_in=1, loss=0.3, drop=0.1)
    now = START
    for revision, wait, reboots in pushes:
        now += wait
        pushed(store, now, item(ONE, revision))
        if reboots:
            store.gateways["g1"].reboot()
    played(store, now)
    assert shots(store, ONE) == sorted(shots(store, ONE))


def test_a_lost_transfer_is_tried_again_at_the_next_check_in():
    store = furnished(displays=1, loss=1)
    pushed(store, START, item(ONE, 1))
    store.advance(START + 11_000)
    assert store.gateways["g1"].counts["lostTransfers"] == 1
    store.gateways["g1"].behaviour = Behaviour(**QUICK)
    played(store)
    assert shots(store, ONE) == [1]


def test_after_its_retries_the_gateway_gives_up_in_silence_and_a_repetition_starts_anew():
    store = furnished(displays=1, loss=1, retries=2)
    pushed(store, START, item(ONE, 1))
    assert played(store) == []
    assert store.gateways["g1"].counts["lostTransfers"] == 3
    assert store.gateways["g1"].counts["givenUp"] == 1
    store.gateways["g1"].behaviour = Behaviour(**QUICK)
    assert pushed(store, START + 600_000, item(ONE, 1)) == ["accepted"]
    played(store)
    assert shots(store, ONE) == [1]


def test_a_false_acceptance_is_shown_never_and_reported_never():
    store = furnished(displays=1, drop=1)
    assert pushed(store, START, item(ONE, 1)) == ["accepted"]
    played(store)
    [report] = store.gateways["g1"].poll([ONE], START + 60_000)
    assert (report.shows, report.proof) == (None, "displayed")


def test_a_reboot_forgets_what_was_held_and_on_air_but_not_what_is_shown():
    store = furnished(check_in=0)
    pushed(store, START, item(ONE, 1))
    played(store)
    pushed(store, START + 60_000, item(ONE, 2), item(TWO, 1), item(THREE, 1))
    store.advance(START + 60_500)
    store.gateways["g1"].reboot()
    played(store)
    assert [shots(store, address) for address in (ONE, TWO, THREE)] == [[1], [], []]
    assert pushed(store, START + 90_000, item(ONE, 2)) == ["accepted"]
    played(store)
    assert shots(store, ONE) == [1, 2]


def test_an_absent_display_is_accepted_for_and_never_shows_until_it_is_back():
    store = furnished()
    display = store.display(ONE)
    display.absent_since = START - 1
    assert pushed(store, START, item(ONE, 1)) == ["accepted"]
    assert played(store) == []
    assert store.gateways["g1"].poll([ONE], START + 60_000) == []
    display.absent_since = None
    store.gateways["g1"].await_check_in(display, START + 60_000)
    played(store)
    assert shots(store, ONE) == [1]


@pytest.mark.parametrize("when", [0, 10_500, 11_500, 60_000])  # awaited, on air, refreshing, shown
def test_a_display_that_moves_takes_along_what_it_shows_and_nothing_else(when):
    store = furnished(displays=1)
    attic = store.add_gateway("attic", Behaviour(**QUICK))
    display = store.display(ONE)
    first = display.next_check_in(START, attic.behaviour, store.timeline)
    pushed(store, first - 10_000, item(ONE, 1))
    store.advance(first - 10_000 + when)
    shown = display.glass
    moved = store.add_display(attic, ONE, PANEL, first - 10_000 + when)
    reports = played(store, first)
    assert (moved.glass, reports) == (shown, [])
    attic.push([item(ONE, 2)], first + 100_000)
    assert [report.shows for report in played(store, first + 100_000)] == [f"{ONE}-2"]


def test_a_display_that_left_is_reported_as_it_was_last_heard():
    store = furnished()
    store.display(ONE).absent_since = START + 30_000
    [report] = store.gateways["g1"].poll([ONE], START + 900_000)
    assert START + 20_000 < report.at <= START + 30_000


def test_unknown_displays_wrong_panels_and_wrong_kinds_are_told_apart():
    store = furnished()
    narrow = Item("t", TWO, 1, Screen(200, 128, "BW"), data={})
    frame = Item("t", THREE, 1, Screen.of(PANEL), frame=b"")
    assert pushed(store, START, item("NOBODY", 1), narrow, frame, item(ONE, 1)) == [
        "unknownDisplay",
        "refused",
        "refused",
        "accepted",
    ]


def test_a_full_queue_is_busy_but_replaces_what_it_holds():
    store = furnished(queue=1)
    assert pushed(store, START, item(ONE, 1), item(TWO, 1), item(ONE, 2)) == ["accepted", "busy", "accepted"]


@pytest.mark.parametrize(
    ("proof", "when"), [("accepted", START), ("delivered", START + 1000), ("displayed", START + 3000)]
)
def test_a_report_comes_when_its_proof_is_true_and_not_before(proof, when):
    store = furnished(displays=1, check_in=0, proof=proof)
    pushed(store, START, item(ONE, 1, "t"))
    before = played(store, until=when - 1) if when > START else []
    assert [report.shows for report in before] == []
    told = played(store, when, until=when)
    assert [(report.shows, report.proof, report.at) for report in told] == [("t", proof, when)]


def test_each_refresh_drains_the_battery_until_the_display_is_gone_and_its_picture_stays():
    store = furnished(displays=1, drain=40)
    for revision in range(1, 5):
        pushed(store, START + revision * 60_000, item(ONE, revision))
        played(store)
    display = store.display(ONE)
    assert (display.battery, shots(store, ONE), display.glass.revision) == (0, [1, 2, 3], 3)


def test_reports_tell_battery_signal_and_temperature():
    store = furnished(displays=30, temperature=18, drain=0.5)
    pushed(store, START, item(ONE, 1))
    played(store)
    reports = store.gateways["g1"].poll(list(store.home), START + 60_000)
    assert {report.battery for report in reports} == {100}
    assert {report.temperature for report in reports} == {17, 18, 19}
    assert all(-84 <= report.signal <= -40 for report in reports)


def story(seed):
    store = furnished(displays=20, seed=seed, loss=0.4, busy=0.2, drop=0.2)
    words = [pushed(store, START + wait, *(item(a, wait + 1) for a in store.home)) for wait in (0, 7000, 30_000)]
    return words, played(store), {address: store.display(address).history for address in store.home}


def test_the_same_seed_tells_the_same_story_and_another_seed_another():
    assert story(1) == story(1)
    assert story(1) != story(2)


def test_reports_are_expected_within_what_the_radio_needs_for_all():
    gateway = furnished(displays=100).gateways["g1"]
    assert gateway.reports_within() == 10 + 100 * 1 + 2
    gateway.behaviour = Behaviour(reports_within=7)
    assert gateway.reports_within() == 7
