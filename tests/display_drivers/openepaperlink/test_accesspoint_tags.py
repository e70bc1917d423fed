"""The simulated access point without sockets: its tags, their transfers, and restarts (X and R rules)."""

import io

import pytest
from PIL import Image

from display_drivers.openepaperlink.accesspoint.records import NO_HASH
from display_drivers.openepaperlink.accesspoint.tags import NewTag
from display_drivers.openepaperlink.accesspoint.tagtypes import INKS, TAG_TYPES
from display_drivers.openepaperlink.accesspoint.wording import NEVER
from tests.display_drivers.openepaperlink.test_accesspoint_model import MAC, NOON, Bench, colours


@pytest.fixture
def bench() -> Bench:
    return Bench()


# -- tags and transfers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lock", "adopted"), [(0, True), (1, False), (2, True)])
def test_a_new_tag_is_adopted_on_first_boot_as_the_lock_permits(lock, adopted):
    bench = Bench(lock=lock)
    bench.tag(adopted=False)
    bench.run(60)
    assert (bench.point.db.get(MAC) is not None) == adopted


def test_a_tag_that_does_not_boot_is_not_adopted_with_lock_2():
    bench = Bench(lock=2)
    bench.tag()
    bench.point.db.clear()
    bench.run(900)
    assert bench.point.db.get(MAC) is None


def test_a_check_in_is_seen_and_sets_when_the_next_is_expected(bench):
    bench.tag()
    bench.until(lambda: bench.record().lastseen > NOON)
    assert bench.record().nextcheckin == bench.record().lastseen + 60


def test_a_new_tag_tells_its_type_and_battery_in_its_first_report(bench):
    bench.tag(adopted=False, hw_type=0x27, battery=2750, ver=40)
    bench.run(60)
    record = bench.record()
    assert (record.hw_type, record.battery_mv, record.ver, record.wakeup_reason) == (0x27, 2750, 40, 0xFC)
    assert record.rssi < 0


def test_a_tag_that_boots_makes_the_access_point_forget_its_hash_and_look_for_the_jpeg(bench):
    tag = bench.tag()
    path = bench.upload()
    bench.until(lambda: tag.shown is not None)
    bench.point.air.press(tag, 0xFC)
    bench.run(3)
    assert (bench.record().digest, bench.errors()) == (NO_HASH, [f"Not found: {path}"])
    assert colours(tag) == ["K"]


@pytest.mark.parametrize(
    ("hw_type", "ver"), [(0x00, 26), (0x01, 26), (0x36, 40), (0x2B, 26), (0x2B, 27), (0xB1, 26), (0xBB, 26)]
)
def test_every_kind_of_panel_shows_the_image_the_right_way_round(bench, hw_type, ver):
    tag = bench.tag(hw_type=hw_type, ver=ver)
    kind = TAG_TYPES[hw_type]
    image = Image.new("RGB", (kind.width, kind.height), INKS["W"])
    image.paste(INKS["K"], (0, 0, 16, 8))
    image.paste(INKS["R"], (kind.width - 8, kind.height - 8, kind.width, kind.height))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95, subsampling=0)
    bench.upload(data=file.getvalue())
    bench.run(120)
    rows = [tag.history[-1].colours[at : at + kind.width] for at in range(0, kind.width * kind.height, kind.width)]
    assert rows[0] == rows[7] == "K" * 16 + "W" * (kind.width - 16)
    assert rows[8] == "W" * kind.width
    assert rows[-1] == "W" * (kind.width - 8) + "R" * 8


def test_a_transfer_takes_as_long_as_its_blocks_and_one_goes_at_a_time(bench):
    tags = [bench.tag(f"000002100000000{number}") for number in range(1, 4)]
    for tag in tags:
        bench.upload("R", mac=tag.mac)
    bench.until(lambda: all(bench.record(tag.mac).pending for tag in tags))
    for tag in tags:
        bench.point.air.press(tag, 4)
    bench.until(lambda: sum(tag.transfers for tag in tags) == 1)
    assert bench.until(lambda: sum(tag.transfers for tag in tags) == 2) > 30
    blocks = [line for line in bench.ear.said("logMsg") if "block request" in line]
    assert len(blocks) == 6
    assert blocks[2].endswith("block 2, len 1280 checksum " + str(255 * 1280 & 0xFFFF))


def test_a_transfer_of_three_blocks_takes_about_three_seconds(bench):
    tag = bench.tag()
    bench.upload("R")
    bench.until(lambda: bench.record().pending == 1)
    bench.point.air.press(tag, 4)
    assert bench.until(lambda: tag.transfers == 1) == pytest.approx(0.35 + 3 * (0.14 + 4096 / 5000), abs=0.1)


def test_an_image_that_the_tag_still_holds_is_not_sent_again(bench):
    tag = bench.tag()
    for colour in "KRK":
        bench.upload(colour)
        bench.run(700)
    assert (colours(tag), tag.transfers) == (["K", "R", "K"], 2)
    assert bench.record().updatecount == 3


def test_a_payload_larger_than_the_flash_slot_is_reported_complete_and_never_shown(bench):
    tag = bench.tag(slot=5000)
    bench.upload("R")
    bench.run(120)
    assert (bench.record().updatecount, bench.record().pending, tag.shown) == (1, 0, None)


def test_a_format_that_the_tag_does_not_know_is_never_answered_and_times_out(bench):
    tag = bench.tag()
    bench.record().hw_type = 0x36  # the access point is wrong about it, and compresses
    bench.record().ver = 40
    tag.next_long = bench.clock.now + 90_000
    bench.upload("R")
    bench.run(25 * 60)
    assert tag.shown is None
    assert bench.errors() == [f"< {MAC} xfer timeout\r\n"]


def test_more_than_255_blocks_never_complete(bench):
    tag = bench.tag()
    assert tag.takes(0x21, 255 * 4096)
    assert not tag.takes(0x21, 255 * 4096 + 1)


def test_an_image_for_an_absent_tag_is_dropped_after_20_minutes_and_pending_stays(bench):
    tag = bench.tag()
    tag.absent = True
    bench.upload("R")
    bench.until(lambda: bench.record().pending == 1)
    assert bench.until(lambda: bench.errors() != []) == pytest.approx(1200, abs=61)
    assert (bench.record().pending, bench.record().digest, bench.point.queue.items) == (1, NO_HASH, [])
    assert [name for name in bench.point.files.names if name.endswith(".pending")]
    tag.absent = False
    bench.point.air.wake_in(tag, 1.0)
    bench.run(600)
    assert tag.shown is None


def test_sleep_replies_expire_without_a_word(bench):
    tag = bench.tag()
    bench.until(lambda: MAC in bench.point.air.slots)
    tag.absent = True
    bench.run(22 * 60)
    assert (MAC in bench.point.air.slots, bench.errors()) == (False, [])


def test_a_full_radio_loses_the_announcement_and_the_tags_next_check_in_tries_again():
    bench = Bench(radio_slots=1, maxsleep=0)
    other, tag = bench.tag("0000021000000002"), bench.tag()
    other.absent = True
    bench.upload("R", mac=other.mac)
    bench.upload("K")
    bench.run(3)
    assert list(bench.point.air.slots) == [other.mac]
    bench.run(100)
    assert (bench.record().pending, tag.shown, bench.errors()) == (1, None, [])
    other.absent = False
    bench.point.air.press(other, 4)
    bench.run(120)
    assert colours(tag) == ["K"]


def test_a_led_flash_counts_as_an_update_and_overwrites_the_hash(bench):
    tag = bench.tag()
    bench.upload()
    bench.until(lambda: tag.shown is not None)
    raw = bench.point.files.read(f"/current/{MAC}.raw")
    bench.point.enqueue_command(bench.record(), "ledflash", bytes(range(1, 13)))
    bench.run(700)
    assert (bench.record().digest, bench.record().updatecount) == ("0102030405060708" + "0" * 16, 2)
    assert bench.point.files.read(f"/current/{MAC}.raw") == raw
    assert tag.refreshes == 1


def test_a_completion_that_nothing_was_queued_for_leaves_rubbish_for_a_hash(bench):
    tag = bench.tag()
    bench.upload()
    bench.until(lambda: tag.shown is not None)
    bench.point.refresh(bench.record())
    bench.upload()
    bench.until(lambda: bench.record().pending == 1)
    before = bench.record().digest
    bench.point.clear(bench.record())
    bench.run(700)
    assert bench.record().updatecount == 2
    assert bench.record().digest not in {before, NO_HASH, tag.history[-1].md5[:16] + "0" * 16}


def test_one_off_modes_give_the_record_back_after_the_transfer(bench):
    bench.tag()
    bench.record().alias = "milk"
    bench.point.save_config(bench.record(), {"contentmode": "17", "alias": "for once"})
    bench.point.enqueue_command(bench.record(), "scan")
    bench.run(120)
    assert (bench.record().alias, bench.record().content_mode) == ("milk", 0)
    assert len(bench.point.db.records) == 1


def test_a_preloaded_image_is_stored_and_shown_only_when_it_is_sent_again(bench):
    tag = bench.tag()
    bench.upload("R", preloadtype="1")
    bench.run(120)
    assert (tag.transfers, tag.shown) == (1, None)
    bench.point.refresh(bench.record())
    bench.upload("R")
    bench.run(700)
    assert (tag.transfers, colours(tag)) == (1, ["R"])


def test_a_tag_in_deep_sleep_stays_away_until_somebody_presses_its_button(bench):
    tag = bench.tag()
    bench.point.enqueue_command(bench.record(), "deepsleep")
    bench.until(lambda: bench.record().nextcheckin == NEVER)
    seen = bench.record().lastseen
    bench.run(4000)
    assert bench.record().lastseen == seen
    bench.point.air.press(tag, 4)
    bench.run(1)
    assert (bench.record().lastseen > seen, bench.record().wakeup_reason) == (True, 4)


def test_a_tag_without_an_answer_searches_ever_more_rarely(bench):
    tag = bench.tag()
    bench.point.apstate = 5
    bench.run(400)
    assert tag.misses >= 5
    before = tag.misses
    bench.run(3600 * 3)
    assert tag.misses == before + 3
    tag.misses = 5 + 24 + 12
    bench.point.air.wake_in(tag, 0.0)
    bench.run(86_000)
    assert tag.misses == 5 + 24 + 12 + 1


# -- restarts --------------------------------------------------------------------------------------------------------


def test_after_an_orderly_restart_a_pending_image_is_looked_for_and_not_found(bench):
    tag = bench.tag()
    bench.upload("K")
    bench.until(lambda: tag.shown is not None)
    before = (bench.record().digest, bench.record().updatecount)
    tag.absent = True
    path = bench.upload("R")
    bench.run(400)
    bench.until(lambda: bench.record().pending == 1)
    bench.point.power.restart()
    assert (bench.point.runstate, bench.point.db.records, bench.point.hub.clients) == (0, [], [])
    bench.run(8.5)
    assert (bench.point.runstate, bench.point.db.get(MAC)) == (3, None)
    bench.point.hub.clients.append(bench.ear)
    bench.run(4)
    assert (bench.point.runstate, bench.record().pending) == (2, 0)
    bench.run(400)
    assert bench.errors()[-1] == f"Not found: {path}"
    assert (bench.record().nextupdate, (bench.record().digest, bench.record().updatecount)) == (NEVER, before)
    assert not [name for name in bench.point.files.names if name.startswith("/temp/") or name.endswith(".pending")]


def test_a_crash_loses_what_was_not_saved_and_is_followed_by_half_a_minute_of_pause(bench):
    bench.tag()
    bench.run(301)
    bench.record().alias = "not saved"
    bench.point.power.crash()
    bench.run(8 + 4)
    assert (bench.point.runstate, bench.record().alias) == (1, "")
    bench.run(30)
    assert bench.point.runstate == 2


def test_it_restarts_every_night_at_four_minutes_to_four_unless_told_not_to():
    for nightlyreboot in (0, 1):
        bench = Bench(start=NOON + 13.5 * 3600, nightlyreboot=nightlyreboot)
        bench.run(2 * 3600 + 25 * 60)
        assert bench.point.power.reboots == 0
        bench.run(120)
        assert bench.point.power.reboots == nightlyreboot
        assert bench.errors() == ["REBOOTING"] * nightlyreboot


def test_without_a_time_server_a_boot_waits_half_a_minute_in_1970(bench):
    bench.tag()
    bench.point.forget_time(0)
    assert bench.point.time == 0
    bench.point.power.restart()
    bench.run(8 + 20)
    assert bench.point.runstate == 3
    bench.run(15)
    assert bench.point.runstate == 2
    bench.point.set_time(int(NOON))
    assert bench.point.time == int(NOON)


def test_tags_and_times_come_out_the_same_for_the_same_seed():
    outcomes = []
    for seed in (1, 1, 2):
        bench = Bench(seed=seed)
        for number in range(5):
            mac = f"000002100000000{number}"
            bench.point.put_up(NewTag(mac=mac, adopted=True), mac)
            bench.upload("R", mac=mac)
        bench.run(300)
        outcomes.append([tag.history[-1].at for tag in bench.point.air.tags.values()])
    assert outcomes[0] == outcomes[1] != outcomes[2]


def test_300_tags_live_through_25_minutes_in_next_to_no_time(bench):
    tags = [bench.tag(f"{number:016X}", check_in=40.0 + number % 20) for number in range(300)]
    bench.run(25 * 60)
    assert all(bench.clock.now - bench.record(tag.mac).lastseen <= 660 for tag in tags)
