import re
import time
from pathlib import Path

import pytest

from service.cli.tokens import Expiry
from tests.service.cli.conftest import Shelfcast

TOKEN = re.compile(r"sc_(live|test)_[A-Za-z0-9]{32}\n")


@pytest.fixture
def zagreb(shelfcast: Shelfcast) -> Shelfcast:
    shelfcast("store", "create", "zagreb", "--timezone", "Europe/Zagreb", "--locale", "hr")
    return shelfcast


def test_a_store_is_made_and_listed(shelfcast: Shelfcast):
    made = shelfcast("store", "create", "zagreb", "--timezone", "Europe/Zagreb", "--locale", "hr", "--sandbox")
    assert (made.exit_code, made.stdout) == (0, "")
    assert "token create --store zagreb" in made.stderr
    listed = shelfcast("store", "list").stdout
    assert all(word in listed for word in ("zagreb", "sandbox", "EUR", "Europe/Zagreb", "hr", "default"))


def test_a_store_that_cannot_be_says_everything_that_is_wrong(shelfcast: Shelfcast):
    result = shelfcast("store", "create", "Zagreb!", "--currency", "kuna")
    assert result.exit_code == 1
    assert "'Zagreb!'" in result.stderr
    assert "ISO 4217" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_new_token_is_alone_on_standard_output(zagreb: Shelfcast):
    result = zagreb("token", "create", "--store", "zagreb", "--name", "POS", "--expires", "90d")
    assert TOKEN.fullmatch(result.stdout)
    assert "not shown again" in result.stderr
    assert result.stdout.strip() not in result.stderr


def test_a_token_is_unlimited_unless_it_is_said_otherwise(zagreb: Shelfcast):
    assert zagreb("token", "create", "--store", "zagreb", "--name", "POS").exit_code == 0
    assert zagreb("token", "create", "--store", "zagreb", "--name", "ERP", "--plan", "growth").exit_code == 0
    listed = zagreb("token", "list", "--store", "zagreb").stdout
    assert (listed.count("unlimited"), listed.count("growth")) == (1, 1)


def test_a_plan_that_is_not_there_is_refused_with_those_that_are(zagreb: Shelfcast):
    result = zagreb("token", "create", "--store", "zagreb", "--name", "POS", "--plan", "gold")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no plan gold; take one of unlimited, growth, pro" in " ".join(result.stderr.split())


def test_the_list_of_tokens_shows_how_each_begins_and_none_in_full(zagreb: Shelfcast):
    token = zagreb("token", "create", "--store", "zagreb", "--name", "POS").stdout.strip()
    zagreb("token", "create", "--store", "zagreb", "--name", "ERP")
    assert zagreb("token", "revoke", "ERP").exit_code == 0
    listed = zagreb("token", "list", "--store", "zagreb").stdout
    assert token[:12] in listed
    assert token not in listed
    assert listed.index("active") < listed.index("revoked")


def test_revoking_what_is_not_there_fails(zagreb: Shelfcast):
    result = zagreb("token", "revoke", "POS")
    assert (result.exit_code, "token list" in result.stderr) == (1, True)


@pytest.mark.parametrize(("written", "days"), [("90d", 90), ("2w", 14), ("1y", 365), ("48h", 2), ("1440m", 1)])
def test_an_expiry_is_a_span(written: str, days: int):
    expires = Expiry().convert(written, None, None)
    assert abs(expires - time.time() * 1000 - days * 86_400_000) < 5_000


def test_an_expiry_is_a_date_in_utc():
    assert Expiry().convert("2027-01-31", None, None) == 1_801_353_600_000
    assert Expiry().convert("2027-01-31T01:00+01:00", None, None) == 1_801_353_600_000


@pytest.mark.parametrize("written", ["soon", "90", "d", "-1d", "2027-13-01"])
def test_an_expiry_that_is_neither_is_a_usage_error(zagreb: Shelfcast, written: str):
    result = zagreb("token", "create", "--store", "zagreb", "--name", "POS", f"--expires={written}")
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_gateway_is_added_and_listed_without_its_secrets(zagreb: Shelfcast):
    pairs = ("--set", "url=http://127.0.0.1:9/a=b", "--set", "secret=hush")
    added = zagreb("gateway", "add", "zagreb", "ap-1", "--driver", "simulator", *pairs, "--no-check")
    assert added.exit_code == 0
    listed = zagreb("gateway", "list", "zagreb").stdout
    assert "url=http://127.0.0.1:9/a=b" in listed
    assert "hush" not in listed


def test_a_gateway_that_does_not_answer_says_how_to_go_on(zagreb: Shelfcast):
    result = zagreb("gateway", "add", "zagreb", "ap-1", "--driver", "simulator", "--set", "url=http://127.0.0.1:9")
    assert (result.exit_code, "--no-check" in result.stderr) == (1, True)


def test_a_setting_without_a_value_is_a_usage_error(zagreb: Shelfcast):
    assert zagreb("gateway", "add", "zagreb", "ap-1", "--driver", "simulator", "--set", "url").exit_code == 2


def test_settings_that_are_wrong_end_every_command_with_all_of_it(shelfcast: Shelfcast):
    result = shelfcast("store", "list", SHELFCAST_PORT="x", SHELFCAST_WORKERS="0")
    assert result.exit_code == 2
    assert "SHELFCAST_PORT" in result.stderr
    assert "SHELFCAST_WORKERS" in result.stderr


def test_a_setting_that_nobody_reads_is_warned_of(shelfcast: Shelfcast):
    result = shelfcast("store", "list", SHELFCAST_DATABASEURL="x")
    assert result.exit_code == 0
    assert "is SHELFCAST_DATABASE_URL meant?" in result.stderr


def test_a_fresh_data_folder_is_made_ready_by_the_first_command(shelfcast: Shelfcast, tmp_path: Path):
    folder = tmp_path / "new"
    assert shelfcast("store", "create", "zagreb", SHELFCAST_DATA_DIR=str(folder)).exit_code == 0
    assert (folder / "shelfcast.db").stat().st_size > 0


def test_a_database_that_is_not_there_is_named_without_its_sql(shelfcast: Shelfcast):
    result = shelfcast("store", "list", SHELFCAST_DATABASE_URL="postgresql://shelf:hush@127.0.0.1:9/x")
    assert result.exit_code == 1
    assert "SHELFCAST_DATABASE_URL" in result.stderr
    assert "hush" not in result.stderr


def test_the_help_names_every_command_without_loading_one(shelfcast: Shelfcast):
    listed = shelfcast("--help").stdout
    assert all(f"  {name} " in listed for name in ("serve", "api", "worker", "push", "displays", "demo"))
    assert shelfcast("no-such").exit_code == 2


def test_every_command_of_the_help_is_there(shelfcast: Shelfcast):
    names = re.findall(r"^  (\w+)  ", shelfcast("--help").stdout.split("Commands:")[1], re.MULTILINE)
    for name in set(names) - {"simulate"}:
        assert shelfcast(name, "--help").exit_code == 0
