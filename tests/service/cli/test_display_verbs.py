"""What an operator does with one display at a shell."""

import json
from pathlib import Path

import pytest

from service.shelves import blinking
from tests.service.cli.conftest import Shelfcast

PANEL = "296x128-BWR"


@pytest.fixture
def zagreb(shelfcast: Shelfcast) -> Shelfcast:
    """A store with displays A1 and A2."""
    shelfcast("store", "create", "zagreb")
    url = "url=http://127.0.0.1:9"
    shelfcast("gateway", "add", "zagreb", "ap-1", "--driver", "simulator", "--set", url, "--no-check")
    for address in ("A1", "A2"):
        made = shelfcast("display", "register", address, "--gateway", "ap-1", "--panel", PANEL, "--store", "zagreb")
        assert f"Display {address} is registered" in made.stderr
    return shelfcast


@pytest.fixture
def binding(tmp_path: Path) -> Path:
    file = tmp_path / "bind.csv"
    file.write_text("address,barcode\nA1,100\n")
    return file


def bound(zagreb: Shelfcast) -> dict[str, list[str]]:
    lines = zagreb("displays", "--store", "zagreb", "--json").stdout.splitlines()
    return {one["address"]: one["barcodes"] for one in map(json.loads, lines)}


def test_a_display_is_registered_swapped_and_retired(zagreb: Shelfcast, binding: Path):
    zagreb("display", "bind", binding, "--store", "zagreb")
    swapped = zagreb("display", "swap", "A1", "A2", "--store", "zagreb")
    assert (swapped.exit_code, "100 in slot 0" in swapped.stderr) == (0, True)
    assert bound(zagreb) == {"A2": ["100"]}
    assert "is in use again" in zagreb("display", "retire", "A1", "--back", "--store", "zagreb").stderr
    assert "bound nothing" in zagreb("display", "unbind", "A2", "--slot", "0", "--store", "zagreb").stderr
    assert "is retired" in zagreb("display", "retire", "A2", "--store", "zagreb").stderr
    assert bound(zagreb) == {"A1": []}


def test_what_cannot_be_says_why(zagreb: Shelfcast):
    for words, said in (
        (("resend", "A1"), "nothing of ours"),
        (("swap", "A1", "A9"), "no display A9"),
        (("at", "A1", "yesterday"), "2026-11-22T06:30:00Z"),
    ):
        refused = zagreb("display", *words, "--store", "zagreb")
        assert refused.exit_code != 0
        assert said in refused.stderr


def test_a_display_that_nobody_makes_flash_is_given_up(zagreb: Shelfcast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blinking, "EXPIRES_AFTER", 1)
    given_up = zagreb("display", "blink", "A1", "--store", "zagreb")
    assert (given_up.exit_code, "within a minute" in given_up.stderr) == (1, True)


def test_history_and_the_face_at_a_time_are_told(zagreb: Shelfcast, binding: Path):
    zagreb("display", "bind", binding, "--store", "zagreb")
    history = zagreb("display", "history", "A1", "--store", "zagreb", "--json").stdout.splitlines()
    assert [json.loads(line)["kind"] for line in history] == ["bound"]
    assert "barcode 100" in zagreb("display", "history", "A1", "--store", "zagreb").stdout
    unknown = zagreb("display", "at", "A1", "--store", "zagreb")
    assert (unknown.exit_code, "Nothing was proven" in unknown.stdout) == (1, True)
    told = json.loads(zagreb("display", "at", "A1", "--store", "zagreb", "--json").stdout)
    assert (told["known"], told["bound"][0]["barcode"]) == (False, "100")
