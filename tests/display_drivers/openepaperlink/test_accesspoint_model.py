"""The simulated access point without sockets: the way of an image, rendering, sleep (S and P rules)."""

import io

import msgspec
import pytest
from PIL import Image

from display_drivers.openepaperlink.accesspoint.clock import Clock
from display_drivers.openepaperlink.accesspoint.hub import Client
from display_drivers.openepaperlink.accesspoint.point import AccessPoint
from display_drivers.openepaperlink.accesspoint.records import NO_HASH, Record
from display_drivers.openepaperlink.accesspoint.settings import Options
from display_drivers.openepaperlink.accesspoint.tags import NewTag, Tag
from display_drivers.openepaperlink.accesspoint.tagtypes import INKS, TAG_TYPES
from display_drivers.openepaperlink.accesspoint.wording import NEVER

MAC = "0000021000000001"
NOON = 1_800_014_400.0  # 2027-01-15 12:00 UTC


class Ear(Client):
    """A client that never falls behind."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[dict] = []

    def offer(self, frame: str) -> None:
        self.frames.append(msgspec.json.decode(frame))

    def said(self, kind: str) -> list[str]:
        return [frame[kind] for frame in self.frames if kind in frame]


class Bench:
    """An access point, a tag, and time that moves when told."""

    def __init__(self, start: float = NOON, **options: object) -> None:
        settings = {"stopsleep": 0, "nightlyreboot": 0} | options
        self.clock = Clock(0.0, start)
        self.point = AccessPoint(Options(**settings), self.clock)
        self.ear = Ear()
        self.point.hub.clients.append(self.ear)

    def tag(self, mac: str = MAC, **fields: object) -> Tag:
        settings = {"check_in": 45.0, "refresh": 5.0, "adopted": True} | fields
        return self.point.put_up(NewTag(mac=mac, **settings), mac)

    def record(self, mac: str = MAC) -> Record:
        record = self.point.db.get(mac)
        assert record is not None
        return record

    def upload(self, colour: str = "K", mac: str = MAC, data: bytes | None = None, **fields: str) -> str:
        kind = TAG_TYPES[self.point.air.tags[mac].hw_type if mac in self.point.air.tags else 1]
        path = f"/temp/{mac}_{self.point.unique_ms()}.jpg"
        self.point.files.write(path, picture(colour, kind.width, kind.height) if data is None else data)
        self.point.take_upload(self.record(mac), {"dither": "0"} | fields, path)
        return path

    def run(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def until(self, condition, longest: float = 3600.0) -> float:
        begin = self.clock.now
        while not condition():
            assert self.clock.now - begin < longest
            self.clock.advance(0.05)
        return self.clock.now - begin

    def errors(self) -> list[str]:
        return self.ear.said("errMsg")


def picture(colour: str, width: int = 296, height: int = 128) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), INKS[colour]).save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


def colours(tag: Tag) -> list[str]:
    """Every plain colour that was on the glass, in order."""
    return ["".join(sorted(set(glass.colours))) for glass in tag.history]


@pytest.fixture
def bench() -> Bench:
    return Bench()


# -- the way of an image ---------------------------------------------------------------------------------------------


def test_an_upload_is_rendered_within_two_seconds_and_shown_after_transfer_and_refresh(bench):
    tag = bench.tag()
    bench.upload("R")
    bench.until(lambda: bench.record().nextupdate == NEVER, 2.0)
    assert (bench.record().pending, bench.record().updatecount) == (1, 0)
    bench.until(lambda: bench.record().updatecount == 1)
    assert (bench.record().pending, tag.shown) == (0, None)
    assert bench.until(lambda: tag.shown is not None) == pytest.approx(5.0, abs=0.1)
    assert set(tag.history[-1].colours) == {"R"}
    assert bench.record().digest == tag.history[-1].md5[:16] + "0" * 16


def test_the_last_image_transferred_can_be_read_and_pending_files_and_jpegs_are_gone(bench):
    tag = bench.tag()
    path = bench.upload()
    bench.until(lambda: tag.shown is not None)
    assert bench.point.files.read(f"/current/{MAC}.raw") == tag.shown.data
    assert path not in bench.point.files
    assert not [name for name in bench.point.files.names if name.endswith(".pending")]


def test_without_previews_the_image_is_not_kept():
    bench = Bench(preview=0)
    tag = bench.tag()
    bench.upload()
    bench.until(lambda: tag.shown is not None)
    assert f"/current/{MAC}.raw" not in bench.point.files


def test_the_same_image_again_is_neither_queued_nor_sent_and_told_as_such(bench):
    tag = bench.tag()
    bench.upload()
    bench.until(lambda: tag.shown is not None)
    bench.upload()
    bench.run(120)
    assert (tag.transfers, bench.record().updatecount, bench.record().nextupdate) == (1, 1, NEVER)
    assert "new image is the same as current image. not updating tag." in bench.ear.said("logMsg")


def test_the_same_image_again_does_not_remove_another_that_is_queued_between(bench):
    tag = bench.tag(check_in=50.0)
    bench.upload("K")
    bench.until(lambda: tag.shown is not None)
    bench.upload("R")
    bench.until(lambda: bench.record().pending == 1)
    bench.upload("K")
    bench.run(120)
    assert colours(tag) == ["K", "R"]


def test_two_images_queued_are_both_sent_and_shown_in_turn(bench):
    tag = bench.tag()
    for colour in "KR":
        bench.upload(colour)
        bench.run(1.5)
    assert bench.record().pending == 2
    assert bench.point.air.slots[MAC].next_check_in == 5.0
    bench.run(120)
    assert colours(tag) == ["K", "R"]
    assert bench.record().updatecount == 2


def test_an_upload_before_the_first_is_rendered_replaces_it_and_orphans_its_file(bench):
    tag = bench.tag()
    first = bench.upload("K")
    bench.upload("R")
    bench.run(120)
    assert colours(tag) == ["R"]
    assert first in bench.point.files


def test_clear_drops_what_waits_and_costs_the_tag_one_wake_up_for_nothing():
    bench = Bench(maxsleep=0)
    tag = bench.tag()
    bench.upload("R")
    bench.until(lambda: bench.record().pending == 1)
    bench.point.clear(bench.record())
    assert MAC in bench.point.air.slots
    bench.run(60)
    assert (tag.transfers, bench.record().updatecount, bench.record().pending) == (0, 0, 0)
    assert MAC not in bench.point.air.slots


def test_refreshing_forgets_the_hash_and_fails_for_want_of_the_jpeg(bench):
    tag = bench.tag()
    path = bench.upload()
    bench.until(lambda: tag.shown is not None)
    bench.point.refresh(bench.record())
    bench.run(3)
    assert (bench.record().digest, bench.record().nextupdate) == (NO_HASH, NEVER)
    assert bench.errors() == [f"Not found: {path}"]


# -- rendering -------------------------------------------------------------------------------------------------------


def test_without_a_type_file_nothing_is_rendered_and_nobody_is_told(bench):
    bench.tag()
    bench.point.files.remove("/tagtypes/01.json")
    bench.upload()
    bench.run(2)
    assert bench.record().nextupdate == pytest.approx(NOON + 300, abs=3)
    bench.run(1000)
    assert bench.record().pending == 0
    assert bench.errors() == []


def test_a_mode_without_a_file_name_renders_nothing(bench):
    bench.tag()
    bench.record().nextupdate = 0
    bench.run(2)
    assert bench.record().nextupdate == NEVER
    assert bench.errors() == []


def test_what_is_no_jpeg_leaves_three_errors_and_the_file(bench):
    bench.tag()
    path = bench.upload(data=b"not a picture")
    bench.run(3)
    raw = f"/temp/{MAC}.raw"
    assert bench.errors() == ["invalid jpg", f"File not found. {raw}", f"Error accessing {raw}"]
    assert (bench.record().nextupdate, path in bench.point.files) == (NEVER, True)


def test_a_tag_never_heard_in_full_is_not_rendered_for(bench):
    bench.tag()
    bench.record().rssi = 0
    bench.upload()
    bench.run(3)
    assert bench.record().nextupdate == 0


def test_rendering_waits_until_five_minutes_before_the_tag_is_expected(bench):
    bench.tag()
    bench.record().nextcheckin = int(NOON) + 600
    bench.point.air.tags[MAC].absent = True
    bench.upload()
    assert bench.until(lambda: bench.record().nextupdate == NEVER) == pytest.approx(302, abs=2)


def test_with_a_websocket_and_stopsleep_rendering_does_not_wait_and_the_tag_is_to_come_at_once():
    bench = Bench(stopsleep=1)
    bench.tag()
    bench.record().nextcheckin = int(NOON) + 6000
    bench.upload(ttl="5")
    bench.until(lambda: bench.record().pending == 1, 2.0)
    assert bench.point.air.slots[MAC].next_check_in == 0


def test_the_time_to_live_is_minutes_of_sleep_after_the_image_and_no_more_than_maxsleep(bench):
    for number, ttl in enumerate(("5", "60")):
        mac = f"000002100000000{number + 1}"
        bench.tag(mac)
        bench.upload(mac=mac, ttl=ttl)
        bench.until(lambda mac=mac: bench.record(mac).pending == 1, 3.0)
    assert [slot.next_check_in for slot in bench.point.air.slots.values()] == [300, 600]


def test_a_nearly_full_file_system_stops_all_rendering_silently(bench):
    bench.tag()
    bench.point.files.leave_free(30_000)
    bench.upload()
    bench.run(60)
    assert (bench.record().nextupdate, bench.errors()) == (0, [])
    bench.point.files.leave_free(None)
    bench.run(3)
    assert bench.record().nextupdate == NEVER


@pytest.mark.parametrize("state", [{"runstate": 1}, {"runstate": 0}, {"apstate": 5}])
def test_nothing_is_rendered_unless_it_runs_and_its_radio_works(bench, state):
    bench.tag()
    for name, value in state.items():
        setattr(bench.point, name, value)
    bench.upload()
    bench.run(30)
    assert bench.record().nextupdate == 0


def test_records_of_a_tag_elsewhere_are_left_alone(bench):
    bench.tag()
    bench.upload()
    bench.record().content_mode = 12
    bench.run(3)
    assert (bench.record().nextupdate, bench.record().pending) == (NEVER, 0)


# -- sleep -----------------------------------------------------------------------------------------------------------


def test_an_idle_tag_is_sent_to_sleep_for_maxsleep_minutes(bench):
    bench.tag()
    bench.run(300)
    seen = {bench.record().lastseen}
    for _ in range(120):
        bench.run(10)
        seen.add(bench.record().lastseen)
    assert len(seen) <= 4
    assert bench.record().nextcheckin - bench.clock.now <= 610


@pytest.mark.parametrize("options", [{"stopsleep": 1}, {"maxsleep": 0}])
def test_with_a_websocket_open_or_without_maxsleep_tags_stay_awake(options):
    bench = Bench(**options)
    bench.tag()
    bench.run(600)
    assert bench.clock.now - bench.record().lastseen <= 46
    assert not bench.point.air.slots


def test_a_pending_count_that_is_stuck_keeps_a_tag_awake(bench):
    bench.tag()
    bench.record().pending = 1
    bench.run(900)
    assert bench.clock.now - bench.record().lastseen <= 46


def test_at_night_tags_sleep_until_two_minutes_before_morning_and_nothing_is_rendered(bench):
    bench.point.config |= {"sleeptime1": 12, "sleeptime2": 15}
    bench.tag()
    bench.upload()
    bench.run(60)
    assert bench.record().nextupdate == 0
    assert bench.point.air.slots[MAC].next_check_in == pytest.approx(178 * 60, abs=60)


def test_the_database_is_saved_every_five_minutes(bench):
    bench.tag()
    bench.run(299)
    assert "/current/tagDB.json" not in bench.point.files
    bench.run(3)
    assert MAC.encode() in bench.point.files.read("/current/tagDB.json")
