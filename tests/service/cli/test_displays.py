import json
from pathlib import Path

import pytest
from click.testing import Result

from tests.service.cli.conftest import Shelfcast

HEADER = "address,gateway,panel,barcode\n"


@pytest.fixture
def zagreb(shelfcast: Shelfcast) -> Shelfcast:
    shelfcast("store", "create", "zagreb")
    shelfcast(
        "gateway", "add", "zagreb", "ap-1", "--driver", "simulator", "--set", "url=http://127.0.0.1:9", "--no-check"
    )
    return shelfcast


@pytest.fixture
def imported(zagreb: Shelfcast, tmp_path: Path):
    def imported(text: str, *options: str) -> Result:
        file = tmp_path / "displays.csv"
        file.write_text(text)
        return zagreb("display", "import", file, "--store", "zagreb", *options)

    return imported


def test_displays_are_imported_bound_and_listed(imported, zagreb: Shelfcast):
    result = imported(HEADER + "A1,ap-1,296x128-BWR,100\nA2,ap-1,296x128-BWR,\n")
    assert result.exit_code == 0
    assert "Displays: 2 made, 0 changed, 0 as they were. Bound: 1 new" in result.stderr
    listed = zagreb("displays", "--store", "zagreb")
    assert "A1" in listed.stdout
    assert "2 displays, 0 wrong." in listed.stderr


def test_a_refused_line_is_told_and_the_others_are_taken(imported):
    result = imported(HEADER + "A1,ap-1,296x128-BWR,100\nA2,ap-9,296x128-BWR,\n,,,\n")
    assert result.exit_code == 1
    assert "1 made" in result.stderr
    assert "line 3: The store has no gateway ap-9; it has ap-1." in result.stderr
    assert "line 4: The line has no address." in result.stderr


def test_a_file_without_a_needed_column_changes_nothing(imported, zagreb: Shelfcast):
    result = imported("address,gateway\nA1,ap-1\n")
    assert (result.exit_code, "no column panel" in result.stderr) == (2, True)
    assert "0 displays" in zagreb("displays", "--store", "zagreb").stderr


def test_a_bound_slot_is_taken_over_only_on_demand(imported, zagreb: Shelfcast, tmp_path: Path):
    imported(HEADER + "A1,ap-1,296x128-BWR,100\n")
    file = tmp_path / "bind.csv"
    file.write_text("address,barcode\nA1,200\n")
    refused = zagreb("display", "bind", file, "--store", "zagreb")
    assert (refused.exit_code, "--takeover" in refused.stderr) == (1, True)
    assert zagreb("display", "bind", file, "--store", "zagreb", "--takeover").exit_code == 0
    states = [json.loads(line) for line in zagreb("displays", "--store", "zagreb", "--json").stdout.splitlines()]
    assert [(state["address"], state["barcodes"]) for state in states] == [("A1", ["200"])]


def test_only_the_wrong_ones_are_listed_where_that_is_asked_for(imported, zagreb: Shelfcast):
    imported(HEADER + "A1,ap-1,296x128-BWR,100\n")
    result = zagreb("displays", "--store", "zagreb", "--wrong", "--json")
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_store_that_does_not_exist_is_named(zagreb: Shelfcast):
    result = zagreb("displays", "--store", "split")
    assert (result.exit_code, "no store split" in result.stderr) == (1, True)


def test_a_file_that_is_not_there_is_named(zagreb: Shelfcast):
    result = zagreb("display", "bind", "no-such.csv", "--store", "zagreb")
    assert (result.exit_code, "No such file" in result.stderr) == (2, True)
