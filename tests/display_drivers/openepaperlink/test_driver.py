"""The scenarios that clients of access points get wrong, judged by what the tags show."""

import asyncio

import pytest

from display_drivers.base import Frame, Panel, Proof, Update
from display_drivers.errors import (
    BusyError,
    FrameRefusedError,
    NotAllowedError,
    PermanentError,
    StaleError,
    TransientError,
    UnknownDisplayError,
    UnreachableError,
)
from display_drivers.openepaperlink import driver as make
from tests.display_drivers.openepaperlink.conftest import Shop, face, mac, opened, seen

A_WHILE = 900
"""Virtual seconds in which a tag that sleeps ten minutes has its image, and has refreshed."""


async def test_an_upload_is_delivered_when_the_tag_has_it_and_not_before(shop: Shop):
    (outcome,) = await shop.push((1, face(1)))
    assert (outcome.error, (await shop.report(1)).shows) == (None, None)
    await shop.advance(A_WHILE)
    report = await shop.report(1)
    assert (report.shows, report.proof) == (outcome.mark, Proof.DELIVERED)
    assert await shop.glass(1) == seen(face(1))
    assert (report.battery, report.signal is not None) == (100, True)


async def test_the_same_label_twice_is_one_transfer(shop: Shop):
    await shop.push((1, face(1)))
    await shop.advance(A_WHILE)
    before = await shop.state()
    (again,) = await shop.push((1, face(1)))
    await shop.advance(A_WHILE)
    assert (await shop.report(1)).shows == again.mark
    assert (await shop.state())["uploadBytes"] == before["uploadBytes"]


async def test_a_b_a_ends_at_a_and_b_is_never_seen(shop: Shop):
    await shop.push((1, face(1)))
    await shop.advance(A_WHILE)
    await shop.push((1, face(2)))
    await shop.advance(5)
    (busy,) = await shop.push((1, face(1)))
    if isinstance(busy.error, BusyError):
        await shop.advance(30)
        await asyncio.sleep(busy.error.retry_after or 0)
        (busy,) = await shop.push((1, face(1)))
    assert busy.error is None
    await shop.advance(2 * A_WHILE)
    assert await shop.glass(1) == seen(face(1))
    assert seen(face(2)) not in await shop.history(1)
    assert (await shop.report(1)).shows == busy.mark


async def test_an_image_that_was_taken_back_but_is_still_announced_proves_nothing(shop: Shop):
    """The tag has both in its memory, so that it shows either without a transfer; found by seed 3 of the chaos test."""
    for number in (2, 1):
        await shop.push((1, face(number)))
        await shop.advance(A_WHILE)
    await shop.push((1, face(2)))
    await shop.advance(2)
    await shop.push((1, face(1)))
    await asyncio.sleep(0.06)
    assert (await shop.report(1)).shows is None
    (taken,) = await shop.push((1, face(1)))
    assert taken.error is None
    assert (await shop.report(1)).shows is None
    await shop.advance(A_WHILE)
    assert (await shop.report(1)).shows == taken.mark
    assert await shop.glass(1) == seen(face(1))


async def test_an_older_image_whose_transfer_had_begun_is_overcome(shop: Shop):
    """Its completion would be counted as the newer one's; so nothing is queued until it is over."""
    await shop.push((1, face(1)))
    await shop.advance(1)
    air = shop.running.point.air
    for _ in range(4000):
        if air._sending == mac(1):
            break
        await shop.advance(0.25)
    assert air._sending == mac(1)
    (busy,) = await shop.push((1, face(2)))
    assert isinstance(busy.error, BusyError)
    await shop.advance(30)
    await asyncio.sleep(0.06)
    (taken,) = await shop.push((1, face(2)))
    assert taken.error is None
    assert (await shop.report(1)).shows != taken.mark
    await shop.advance(2 * A_WHILE)
    assert await shop.glass(1) == seen(face(2))
    assert (await shop.report(1)).shows == taken.mark


async def test_ten_faces_within_a_second_are_two_transfers_at_most(shop: Shop):
    for number in range(10):
        (outcome,) = await shop.push((1, face(number)))
        if isinstance(outcome.error, BusyError):
            await asyncio.sleep(0.06)
            await shop.push((1, face(number)))
    await shop.advance(2 * A_WHILE)
    assert await shop.glass(1) == seen(face(9))
    assert len(await shop.history(1)) <= 2


async def test_a_tag_that_nobody_knows_is_named_though_the_answer_was_200(shop: Shop):
    (outcome,) = await shop.push((99, face(1)))
    assert isinstance(outcome.error, UnknownDisplayError)
    assert await shop.driver.poll([mac(99)]) == []
    with pytest.raises(UnknownDisplayError):
        await shop.driver.blink(mac(99), 2)


async def test_an_upload_that_was_thrown_away_while_it_starts_is_no_success(shop: Shop):
    shop.running.point.runstate = 1
    (outcome,) = await shop.push((1, face(1)))
    assert isinstance(outcome.error, TransientError)
    shop.running.point.runstate = 2
    assert (await shop.push((1, face(1))))[0].error is None


async def test_what_a_restart_loses_is_not_proven_and_sent_again(shop: Shop):
    first = await shop.push((1, face(1)), (2, face(2)), (3, face(3)))
    await shop.faults(reboot=True)
    await shop.advance(A_WHILE)
    assert [(await shop.report(number)).shows for number in (1, 2, 3)] == [None] * 3
    again = await shop.push((1, face(1)), (2, face(2)), (3, face(3)))
    await shop.advance(2 * A_WHILE)
    for number, (before, after) in enumerate(zip(first, again, strict=True), start=1):
        assert before.mark == after.mark == (await shop.report(number)).shows
        assert await shop.glass(number) == seen(face(number))


async def test_a_transfer_that_was_given_up_is_cleared_so_that_the_tag_may_sleep(shop: Shop):
    await shop.faults(absent=[mac(1)])
    await shop.push((1, face(1)))
    for _ in range(5):
        await shop.advance(8 * 60)
        assert (await shop.report(1)).shows is None
    assert shop.running.point.db.get(mac(1)).pending == 0
    await shop.faults(present=[mac(1)])
    await shop.advance(60)
    await asyncio.sleep(0.06)
    (outcome,) = await shop.push((1, face(1)))
    await shop.advance(4 * 3600)
    assert (await shop.report(1)).shows == outcome.mark
    assert await shop.glass(1) == seen(face(1))


async def test_a_flash_between_two_identical_images_is_no_refresh(shop: Shop):
    await shop.push((1, face(1)))
    await shop.advance(A_WHILE)
    await shop.driver.blink(mac(1), 4)
    await shop.advance(A_WHILE)
    report = await shop.report(1)
    (again,) = await shop.push((1, face(1)))
    await shop.advance(A_WHILE)
    assert report.shows == again.mark == (await shop.report(1)).shows
    assert len(await shop.history(1)) == 1


async def test_a_flash_of_somebody_else_proves_nothing_and_costs_no_refresh(shop: Shop):
    await shop.push((1, face(1)))
    await shop.advance(A_WHILE)
    await shop.driver._point.flash(mac(1), "00" * 12)
    await shop.advance(A_WHILE)
    assert (await shop.report(1)).shows is None
    (again,) = await shop.push((1, face(1)))
    await shop.advance(A_WHILE)
    assert (await shop.report(1)).shows == again.mark
    assert len(await shop.history(1)) == 1


async def test_what_a_foreign_client_uploads_is_seen(shop: Shop):
    (ours,) = await shop.push((1, face(1)))
    await shop.advance(A_WHILE)
    await shop.faults(foreign_upload={"mac": mac(1), "colour": "R"})
    await shop.advance(A_WHILE)
    assert (await shop.report(1)).shows not in {None, ours.mark}
    await shop.push((1, face(1)))
    await shop.advance(A_WHILE)
    assert await shop.glass(1) == seen(face(1))


async def test_a_missing_tag_type_is_told_with_the_files_name(shop: Shop):
    await shop.faults(missing_type="01")
    (outcome,) = await shop.push((1, face(1)))
    assert isinstance(outcome.error, PermanentError)
    assert "/tagtypes/01.json" in outcome.error.detail


async def test_of_three_hundred_tags_those_that_cannot_be_listed_are_asked_for():
    async with opened(tags=300) as shop:
        found = await shop.driver.discover()
        assert 250 <= len(found) == len({display.address for display in found}) < 300
        assert {display.panel for display in found} == {Panel(296, 128)}
        reports = await shop.driver.poll([mac(1), mac(300)])
        assert [report.address for report in reports] == [mac(1), mac(300)]


async def test_polling_a_whole_store_is_a_listing_and_not_a_question_for_each():
    async with opened({"pace": "1"}, tags=200) as shop:
        before = (await shop.state())["requests"].get("/get_db", 0)
        for start in range(0, 200, 4):
            await shop.driver.poll([mac(number + 1) for number in range(start, start + 4)])
        assert (await shop.state())["requests"]["/get_db"] - before <= 30


async def test_an_open_stream_tells_what_was_delivered(shop: Shop):
    heard = asyncio.ensure_future(anext(aiter(told(shop))))
    await asyncio.sleep(0.05)
    (outcome,) = await shop.push((1, face(1)))
    for _ in range(20):
        await shop.advance(60)
        if heard.done():
            break
    assert (await asyncio.wait_for(heard, 5)) == outcome.mark


async def told(shop: Shop, address: str = mac(1)):
    async for report in shop.driver.listen():
        if report.address == address and report.shows:
            yield report.shows


async def test_what_a_stream_tells_names_a_tag_as_it_was_asked_for(shop: Shop):
    short = mac(1)[4:].lower()
    await shop.driver.poll([short])
    heard = asyncio.ensure_future(anext(aiter(told(shop, short))))
    await asyncio.sleep(0.05)
    await shop.push((1, face(1)))
    for _ in range(20):
        await shop.advance(60)
        if heard.done():
            break
    assert await asyncio.wait_for(heard, 5)


async def test_no_stream_is_opened_where_it_would_keep_the_tags_awake():
    async with opened(stopsleep=1) as shop:
        listening = asyncio.ensure_future(anext(aiter(told(shop))))
        await shop.push((1, face(1)))
        await shop.advance(A_WHILE)
        assert (await shop.state())["websockets"] == 0
        listening.cancel()
        await asyncio.wait({listening})


async def test_a_stream_that_breaks_is_a_driver_error(shop: Shop):
    listening = asyncio.ensure_future(anext(aiter(told(shop))))
    for _ in range(1000):
        if (await shop.state())["websockets"]:
            break
    await shop.faults(close_sockets=True)
    with pytest.raises(UnreachableError):
        await asyncio.wait_for(listening, 5)


@pytest.mark.parametrize("written", [mac(1), mac(1).lower(), mac(1)[4:], mac(1)[4:].lower()])
async def test_an_address_of_any_spelling_is_one_tag(shop: Shop, written: str):
    (outcome,) = await shop.driver.push([Update("t", written, 1, face(1))])
    assert outcome.error is None
    await shop.advance(A_WHILE)
    assert await shop.glass(1) == seen(face(1))
    (report,) = await shop.driver.poll([written])
    assert (report.address, report.shows) == (written, outcome.mark)


@pytest.mark.parametrize("address", ["", "x", "0" * 13, "Z" * 12])
async def test_what_is_no_address_is_an_unknown_display(shop: Shop, address: str):
    (outcome,) = await shop.driver.push([Update("t", address, 1, face(1))])
    assert isinstance(outcome.error, UnknownDisplayError)


async def test_a_frame_of_another_size_never_leaves(shop: Shop):
    (outcome,) = await shop.push((1, Frame(Panel(400, 300), b"\1" * 120_000)))
    assert isinstance(outcome.error, FrameRefusedError)
    assert (await shop.state())["uploadBytes"] == 0


async def test_an_older_face_is_stale(shop: Shop):
    await shop.push((1, face(1)))
    (late,) = await shop.driver.push([Update("late", mac(1), 0, face(2))])
    assert isinstance(late.error, StaleError)


async def test_older_firmware_says_what_is_wrong_and_is_believed():
    async with opened(profile="legacy") as shop:
        assert (await shop.push((1, face(1))))[0].error is None
        shop.running.point.runstate = 1
        (outcome,) = await shop.push((2, face(2)))
        assert isinstance(outcome.error, BusyError)
        shop.running.point.runstate = 2
        await shop.push((2, face(2)))
        await shop.advance(A_WHILE)
        assert await shop.glass(2) == seen(face(2))


@pytest.mark.parametrize("fault", [{"reset_after_body": 1}, {"reset_before_answer": 1}])
async def test_an_answer_that_is_lost_is_sent_again_and_shown_once(shop: Shop, fault: dict[str, int]):
    await shop.driver.poll([mac(1)])
    await shop.faults(**fault)
    try:
        (outcome,) = await shop.push((1, face(1)))
        assert outcome.error
    except UnreachableError:
        pass
    (outcome,) = await shop.push((1, face(1)))
    if outcome.error:
        await asyncio.sleep(0.06)
        (outcome,) = await shop.push((1, face(1)))
    await shop.advance(A_WHILE)
    assert (await shop.report(1)).shows == outcome.mark
    assert await shop.history(1) == [seen(face(1))]


async def test_one_tag_that_is_wrong_holds_up_no_other(shop: Shop):
    bad, good = await shop.push((99, face(1)), (2, face(2)))
    assert (isinstance(bad.error, UnknownDisplayError), good.error) == (True, None)


async def test_where_it_is_away_in_the_middle_those_before_were_taken(shop: Shop):
    original = shop.driver._point.upload
    uploads = 0

    async def cut_off(*arguments: object) -> None:
        nonlocal uploads
        uploads += 1
        if uploads == 2:
            raise UnreachableError("gone")
        await original(*arguments)  # type: ignore[arg-type]

    shop.driver._point.upload = cut_off  # type: ignore[method-assign]
    outcomes = await shop.push((1, face(1)), (2, face(2)), (3, face(3)))
    assert [type(outcome.error) for outcome in outcomes] == [type(None), UnreachableError, UnreachableError]


async def test_settings_that_make_proof_impossible_are_refused_or_set():
    with pytest.raises(NotAllowedError, match=r"preview=0.*manage=yes"):
        async with opened(preview=0):
            pass
    async with opened({"manage": "yes"}, preview=0, stopsleep=1, nightlyreboot=1) as shop:
        config = shop.running.point.config
        assert (config["preview"], config["stopsleep"], config["nightlyreboot"], config["lock"]) == (1, 0, 0, 1)


async def test_the_time_that_proof_may_take_follows_from_how_long_tags_sleep():
    async with opened(maxsleep=60) as shop:
        assert shop.driver.info.reports_within == 60 * 60 + 240


async def test_a_tag_that_moved_is_told_with_its_new_access_point(shop: Shop):
    await shop.faults(moved={"mac": mac(1), "apip": "192.0.2.7"})
    (outcome,) = await shop.push((1, face(1)))
    assert isinstance(outcome.error, UnknownDisplayError)
    assert "192.0.2.7" in outcome.error.detail


@pytest.mark.parametrize(
    "config", [{}, {"url": "https://a"}, {"url": "http://"}, {"url": "http://a/b"}, {"url": "http://a", "pace": "x"},
               {"url": "http://a", "secret": "x"}]
)  # fmt: skip
def test_a_configuration_that_cannot_be_right_is_refused(config: dict[str, str]):
    with pytest.raises(PermanentError):
        make(config)


async def test_what_does_not_answer_is_unreachable():
    driver = make({"url": "http://127.0.0.1:1"})
    with pytest.raises(UnreachableError):
        await driver.open()
    with pytest.raises(UnreachableError):
        await driver.poll([mac(1)])


async def test_fifty_images_that_a_restart_loses_are_all_sent_again():
    async with opened(tags=50, maxsleep=5) as shop:
        wanted = {number: face(number) for number in range(1, 51)}
        await pushed(shop, wanted)
        await shop.faults(reboot=True)
        await shop.advance(A_WHILE)
        claimed = [report.shows for report in await shop.driver.poll([mac(number) for number in wanted])]
        assert set(claimed) == {None}
        marks = await pushed(shop, wanted)
        await shop.advance(2 * A_WHILE)
        assert [report.shows for report in await shop.driver.poll([mac(number) for number in wanted])] == marks
        for number, each in wanted.items():
            assert await shop.glass(number) == seen(each)


async def pushed(shop: Shop, wanted: dict[int, Frame]) -> list[str | None]:
    """In pushes of four; the marks."""
    some = list(wanted.items())
    pushes = [await shop.push(*some[start : start + 4]) for start in range(0, len(some), 4)]
    outcomes = [outcome for push in pushes for outcome in push]
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    return [outcome.mark for outcome in outcomes]


async def test_a_label_that_people_see_otherwise_is_transferred_again(shop: Shop):
    await shop.push((1, face(1)))
    await shop.advance(A_WHILE)
    before = await shop.state()
    (outcome,) = await shop.driver.push([Update("again", mac(1), 99, face(1), again=True)])
    assert (outcome.error, (await shop.report(1)).shows) == (None, None)
    await shop.advance(A_WHILE)
    assert (await shop.report(1)).shows == outcome.mark
    assert (await shop.state())["uploadBytes"] > before["uploadBytes"]


@pytest.mark.parametrize(("reason", "touch"), [(3, ("nfc", None)), (4, ("button", 1)), (5, ("button", 2)), (2, None)])
async def test_a_tag_that_somebody_woke_says_so_until_it_calls_again(
    shop: Shop, reason: int, touch: tuple[str, int | None] | None
):
    await shop.advance(A_WHILE)
    assert (await shop.report(1)).touch is None
    await shop.remote.press(mac(1), reason)
    await shop.advance(5)
    first, second = await shop.report(1), await shop.report(1)
    assert (first.touch and (first.touch.kind, first.touch.button)) == touch
    assert first.touch == second.touch
    await shop.advance(A_WHILE)
    assert (await shop.report(1)).touch is None
