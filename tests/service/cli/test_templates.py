import json
import os
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import jsonschema
import pytest

from service.rendering.shipped import names, text
from tests.service.cli.conftest import Shelfcast
from tests.service.test_designing import TEXT

PNG = b"\x89PNG\r\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "own.toml"
    file.write_text(TEXT.format(version=1, extra=""))
    return file


@pytest.fixture
def zagreb(shelfcast: Shelfcast) -> Shelfcast:
    assert shelfcast("store", "create", "zagreb", "--sandbox").exit_code == 0
    return shelfcast


def test_what_ships_is_printed_to_begin_with(shelfcast: Shelfcast):
    assert shelfcast("template", "show", "sale").stdout == text("sale")
    refused = shelfcast("template", "show", "gone")
    assert (refused.exit_code, "minimal, price" in refused.stderr) == (2, True)


def test_a_template_is_judged_by_its_file(shelfcast: Shelfcast, file: Path):
    judged = shelfcast("template", "lint", file, "price")
    assert (judged.exit_code, "0 errors" in judged.stderr) == (0, True)
    assert "own.toml: warning: A sale is shown without the price before it" in judged.stdout
    file.write_text(file.read_text().replace("{name}", "{nmae}"))
    judged = shelfcast("template", "lint", file)
    assert judged.exit_code == 1
    assert "own.toml:7: area name: No product has a field nmae. Is name meant?" in judged.stderr


def test_an_error_is_an_exit_code(shelfcast: Shelfcast, file: Path):
    file.write_text(file.read_text().replace('kind = "price"', 'kind = "box"'))
    judged = shelfcast("template", "lint", file)
    assert (judged.exit_code, "error: The price is not shown." in judged.stdout) == (1, True)


def test_a_label_and_a_sheet_are_drawn_from_a_file(shelfcast: Shelfcast, file: Path, tmp_path: Path):
    label = tmp_path / "label.png"
    asked = ("--panel", "200x200-BWY", "--sample", "hebrew", "--out", label)
    assert shelfcast("template", "preview", file, *asked).exit_code == 0
    assert label.read_bytes().startswith(PNG)
    assert shelfcast("template", "preview", "sale").stdout_bytes.startswith(PNG)
    assert shelfcast("template", "sheet", file).stdout_bytes.startswith(PNG)


@pytest.mark.parametrize(
    "asked",
    [
        ["preview", "gone"],
        ["preview", "gone.toml"],
        ["preview", "sale", "--panel", "large"],
        ["preview", "sale", "--store", "zagreb"],
        ["preview", "sale", "--watch"],
        ["sheet", "gone.txt"],
        ["use", "sale", "--store", "gone"],
        ["use", "sale", "--store", "zagreb", "--display", "1", "--panel", "296x128-BW"],
        ["list", "--store", "gone"],
    ],
)
def test_what_is_not_there_ends_the_command_with_a_sentence(zagreb: Shelfcast, asked: list[str]):
    result = zagreb("template", *asked)
    assert result.exit_code in {1, 2}
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) <= 2


def test_a_file_that_is_no_text_is_refused(shelfcast: Shelfcast, file: Path):
    file.write_bytes(b"\xff\xfe")
    assert "not written in UTF-8" in shelfcast("template", "lint", file).stderr


def test_a_template_is_added_chosen_listed_and_taken_back(zagreb: Shelfcast, file: Path):
    assert "Template own 1 is added." in zagreb("template", "add", file, "--store", "zagreb").stderr
    assert "there already" in zagreb("template", "add", file, "--store", "zagreb").stderr
    chosen = zagreb("template", "use", "own", "--store", "zagreb", "--category", "Wine")
    assert "price for all, 1 exceptions" in chosen.stderr
    listed = zagreb("template", "list", "--store", "zagreb").stdout
    assert all(name in listed for name in names())
    assert "category Wine" in listed
    taken = zagreb("template", "clear", "--store", "zagreb", "--category", "wine")
    assert "price for all, 0 exceptions" in taken.stderr


def test_one_with_an_error_is_not_added(zagreb: Shelfcast, file: Path):
    file.write_text(file.read_text() + '[area.logo]\nkind = "image"\nfile = "logo.png"\nbox.any = [0, 0, 9, 9]\n')
    (file.parent / "logo.png").write_bytes(b"<svg/>")
    refused = zagreb("template", "add", file, "--store", "zagreb")
    assert (refused.exit_code, "SVG is not read" in refused.stderr) == (1, True)
    assert "own" not in zagreb("template", "list", "--store", "zagreb").stdout.split()


def test_to_watch_draws_again_when_a_file_changes(file: Path, tmp_path: Path):
    out = tmp_path / "label.png"
    command = [sys.executable, "-m", "service.cli", "template", "preview", str(file), "--watch", "--out", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as running:
        giving_up = threading.Timer(60, running.kill)
        giving_up.start()
        try:
            lines = iter(running.stderr.readline, "") if running.stderr else iter(())
            assert any("Written" in line for line in lines)
            first = out.read_bytes()
            changed = file.read_text()
            file.write_text(changed.replace("[2, 40, 98, 98]", "[2, 60, 98, 98]"))
            os.utime(file, (time.time(), time.time() + 5))
            assert any("Written" in line for line in lines)
            assert out.read_bytes() != first
            file.write_text("format = 9")
            os.utime(file, (time.time(), time.time() + 10))
            assert any("Write format = 1" in line for line in lines)
        finally:
            giving_up.cancel()
            running.terminate()


def test_the_schema_takes_what_ships_and_refuses_what_is_wrong(shelfcast: Shelfcast):
    checked = jsonschema.Draft202012Validator(json.loads(shelfcast("template", "schema").stdout))
    for name in names():
        checked.validate(tomllib.loads(text(name) or ""))
    wrong = tomllib.loads((text("sale") or "").replace('paper = "accent"', 'paper = "red"', 1))
    assert not checked.is_valid(wrong)


def test_a_store_whose_letters_no_font_has_is_told_so(shelfcast: Shelfcast, monkeypatch: pytest.MonkeyPatch):
    assert "cjk" not in shelfcast("store", "create", "tokyo", "--locale", "ja").stderr
    monkeypatch.setattr("service.cli.stores.without_glyph", lambda letters: letters)
    assert 'pip install "shelfcast[cjk]"' in shelfcast("store", "create", "osaka", "--locale", "ja-JP").stderr
    assert "cjk" not in shelfcast("store", "create", "zagreb", "--locale", "hr").stderr
