import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from display_drivers.openepaperlink import bench
from tests.service.cli.conftest import Shelfcast


@pytest.fixture
def access_point() -> Iterator[str]:
    """One with four labels, some hundred times faster than real."""
    flags = ("--tags", "4", "--types", "01", "--speed", "400", "--port", "0", "--control-port", "0", "--stopsleep", "0")
    command = [sys.executable, "-m", "service.cli", "simulate", "openepaperlink", *flags, "--no-nightly-reboot"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        assert running.stdout
        yield json.loads(running.stdout.readline())["url"]
        running.terminate()


def test_the_drivers_that_are_installed_are_listed(shelfcast: Shelfcast):
    assert shelfcast("drivers", "list").stdout.split() == ["gateway", "openepaperlink", "simulator"]


def test_what_is_found_is_told_and_nothing_changed(shelfcast: Shelfcast, access_point: str):
    told = shelfcast("drivers", "check", "openepaperlink", "--url", access_point, "--facts")
    assert told.exit_code == 0
    assert "Firmware 2.91, 4 tags listed." in told.stderr
    assert "Set lock to 1; it is 0." in told.stderr
    assert "4 tags of type 01, whose copies are compressed by Group 5 and cannot be read." in told.stderr
    assert "Tried with 4 displays of 296x128-BWR." in told.stderr


def test_the_suite_runs_on_what_is_there(shelfcast: Shelfcast, access_point: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "_LOOK_EVERY", 0.05)
    settings = ("--set", "pace=0", "--set", "settle=0.1")
    ran = shelfcast("drivers", "check", "openepaperlink", "--url", access_point, *settings)
    lines = [line for line in ran.stdout.splitlines() if " kept" in line or "BROKEN" in line or "not tried" in line]
    assert (ran.exit_code, [line for line in lines if "BROKEN" in line]) == (0, []), ran.stdout
    assert sum("not tried" in line for line in lines) == 2  # its plug, and the glass itself
    assert len(lines) == 17


@pytest.mark.parametrize(
    "asked",
    [
        ("nobody", "--url", "http://127.0.0.1:1"),
        ("gateway", "--url", "http://127.0.0.1:1"),
        ("openepaperlink", "--url", "http://127.0.0.1:1"),
        ("openepaperlink", "--url", "nonsense"),
        ("openepaperlink", "--url", "http://127.0.0.1:1", "--set", "x"),
    ],
)
def test_what_cannot_be_checked_ends_with_a_sentence(shelfcast: Shelfcast, asked: tuple[str, ...]):
    refused = shelfcast("drivers", "check", *asked)
    assert refused.exit_code in {1, 2}
    assert "Traceback" not in refused.stderr


def test_a_simulation_that_there_is_not_is_named(shelfcast: Shelfcast):
    refused = shelfcast("simulate", "nothing")
    assert (refused.exit_code, "openepaperlink, simulator" in refused.stderr) == (2, True)
