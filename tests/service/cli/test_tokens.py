"""Organisations, tokens and production at a shell."""

import json
import re
from pathlib import Path

import pytest

from tests.service.cli.conftest import Shelfcast

TOKEN = re.compile(r"sc_(live|test)_[A-Za-z0-9]{32}\n")


@pytest.fixture
def chain(shelfcast: Shelfcast) -> Shelfcast:
    """With an organisation that has a sandbox and a live store."""
    assert shelfcast("organisation", "create", "corner", "--name", "Corner shops").exit_code == 0
    assert shelfcast("store", "create", "lab", "--organisation", "corner", "--sandbox").exit_code == 0
    assert shelfcast("store", "create", "shop", "--organisation", "corner", "--name", "Shop 1").exit_code == 0
    return shelfcast


def test_organisations_are_made_once_and_listed_with_their_stores(chain: Shelfcast):
    again = chain("organisation", "create", "corner")
    assert (again.exit_code, "already" in again.stderr) == (1, True)
    listed = chain("organisation", "list").stdout
    assert re.search(r"corner +Corner shops +2", listed)


@pytest.mark.parametrize("slug", ["Corner", "a b", ""])
def test_an_organisation_that_cannot_be_is_refused(shelfcast: Shelfcast, slug: str):
    result = shelfcast("organisation", "create", slug)
    assert (result.exit_code, "lower-case" in result.stderr) == (1, True)


def test_a_store_of_an_organisation_that_is_not_there_says_what_to_do(shelfcast: Shelfcast):
    result = shelfcast("store", "create", "x", "--organisation", "nowhere")
    assert (result.exit_code, "organisation create" in result.stderr) == (1, True)


def test_a_chains_token_is_live_and_listed_as_the_chains(chain: Shelfcast):
    made = chain("token", "create", "--organisation", "corner", "--name", "office", "--role", "admin")
    assert made.stdout.startswith("sc_live_")
    assert TOKEN.fullmatch(made.stdout)
    assert "corner (chain)" in chain("token", "list").stdout


def test_a_token_has_the_scopes_and_the_plan_that_were_asked_for(chain: Shelfcast):
    options = ("--scope", "displays:write", "--scope", "feed", "--plan", "pro")
    assert chain("token", "create", "--store", "shop", "--name", "a", *options).exit_code == 0
    assert chain("token", "create", "--store", "shop", "--name", "b").exit_code == 0
    listed = chain("token", "list", "--store", "shop").stdout
    assert re.search(r" a .*displays:write feed +pro", listed)
    assert re.search(r" b .* feed +unlimited", listed)


@pytest.mark.parametrize("owner", [(), ("--store", "shop", "--organisation", "corner")])
def test_a_token_has_one_owner(chain: Shelfcast, owner: tuple[str, ...]):
    assert chain("token", "create", "--name", "x", *owner).exit_code == 2


@pytest.mark.parametrize("wrong", [("--scope", "everything"), ("--role", "king")])
def test_a_scope_that_is_none_is_a_usage_error(chain: Shelfcast, wrong: tuple[str, ...]):
    result = chain("token", "create", "--store", "shop", "--name", "x", *wrong)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_token_is_rotated_and_the_new_one_is_alone_on_standard_output(chain: Shelfcast):
    old = chain("token", "create", "--store", "shop", "--name", "POS").stdout
    rotated = chain("token", "rotate", "POS", "--overlap", "30m")
    assert TOKEN.fullmatch(rotated.stdout)
    assert rotated.stdout != old
    assert "0:30:00" in rotated.stderr
    assert chain("token", "list").stdout.count(" POS ") == 2
    assert chain("token", "rotate", "POS").exit_code == 1
    assert chain("token", "rotate", "POS", "--overlap", "soon").exit_code == 2


def test_without_an_overlap_the_old_token_is_expired(chain: Shelfcast):
    chain("token", "create", "--store", "shop", "--name", "POS")
    chain("token", "rotate", "POS", "--overlap", "0s")
    assert chain("token", "list").stdout.count("expired") == 1


def test_production_is_granted_with_a_reason_and_listed(chain: Shelfcast):
    assert chain("production", "grant", "lab", "--live", "shop").exit_code == 1
    granted = chain("production", "grant", "lab", "--live", "shop", "--override", "by telephone", "--print")
    assert TOKEN.fullmatch(granted.stdout)
    assert "by telephone" not in chain("production", "list").stdout
    listed = chain("production", "list", "--all").stdout
    assert all(word in listed for word in ("lab", "granted", "by telephone", "productsAdded"))


def test_a_granted_token_that_waits_is_not_printed(chain: Shelfcast):
    granted = chain("production", "grant", "lab", "--live", "shop", "--override", "x")
    assert (granted.exit_code, granted.stdout) == (0, "")
    assert "POST /production/token" in granted.stderr


def test_a_refusal_needs_an_open_request(chain: Shelfcast):
    result = chain("production", "refuse", "lab", "--reason", "no")
    assert (result.exit_code, "production list" in result.stderr) == (1, True)


def test_simulated_displays_need_somebody_who_runs_them(chain: Shelfcast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("service.tenants.simulated.ANSWERS_WITHIN", 0.0)
    result = chain("store", "simulate", "lab", "--displays", "2")
    assert (result.exit_code, "shelfcast serve" in result.stderr) == (1, True)
    live = chain("store", "simulate", "shop")
    assert (live.exit_code, "live" in live.stderr) == (1, True)


def test_what_is_done_at_a_shell_is_in_the_audit_log(chain: Shelfcast, tmp_path: Path):
    import sqlite3  # noqa: PLC0415

    chain("token", "create", "--store", "shop", "--name", "POS")
    with sqlite3.connect(tmp_path / "shelfcast.db") as plain:
        rows = plain.execute("SELECT action, actor, detail FROM audit ORDER BY id").fetchall()
    plain.close()
    assert [action for action, _, _ in rows] == [
        "organisation.created", "store.created", "store.created", "token.created",
    ]  # fmt: skip
    assert all(actor.startswith("command line") for _, actor, _ in rows)
    assert json.loads(rows[-1][2])["scopes"] == ["feed"]
