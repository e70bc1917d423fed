"""The commands of gateways, of batches that are held, of guards, of the audit log and of the key."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from service import feed, sync
from service.context import opened
from service.ids import new_id
from service.settings import Settings
from service.tenants.tokens import caller as caller_of
from service.tenants.tokens import identify
from tests.service.cli.conftest import Shelfcast
from tests.shop import raw

NOBODY = "http://127.0.0.1:9"
SECRET = "hush-hush-4711"


@pytest.fixture
def zagreb(shelfcast: Shelfcast) -> Shelfcast:
    shelfcast("store", "create", "zagreb")
    pairs = ("--set", f"url={NOBODY}", "--set", f"secret={SECRET}")
    assert shelfcast("gateway", "add", "zagreb", "ap-1", "--driver", "simulator", *pairs, "--no-check").exit_code == 0
    return shelfcast


def test_a_gateway_is_shown_without_its_secret(zagreb: Shelfcast, tmp_path: Path):
    for shown in (zagreb("gateway", "show", "zagreb", "ap-1"), zagreb("gateway", "show", "zagreb", "ap-1", "--json")):
        assert (shown.exit_code, NOBODY in shown.stdout, SECRET in shown.stdout) == (0, True, False)
    assert '"displays":{"total":0' in zagreb("gateway", "show", "zagreb", "ap-1", "--json").stdout
    assert not any(SECRET.encode() in file.read_bytes() for file in tmp_path.glob("shelfcast.db*"))


def test_a_gateway_is_changed_renamed_and_retired(zagreb: Shelfcast):
    assert zagreb("gateway", "change", "zagreb", "ap-1", "--name", "door").exit_code == 0
    refused = zagreb("gateway", "change", "zagreb", "door", "--set", "url=http://127.0.0.1:7")
    assert (refused.exit_code, "--no-check" in refused.stderr) == (1, True)
    changed = zagreb("gateway", "change", "zagreb", "door", "--unset", "secret", "--no-check")
    assert changed.exit_code == 0
    assert "secret" not in zagreb("gateway", "show", "zagreb", "door").stdout
    assert zagreb("gateway", "retire", "zagreb", "door").exit_code == 0
    assert "retired" in zagreb("gateway", "list", "zagreb").stdout
    assert zagreb("gateway", "change", "zagreb", "door").exit_code == 2
    assert zagreb("gateway", "show", "zagreb", "nobody").exit_code == 1


def test_maintenance_is_begun_with_a_reason_and_ended(zagreb: Shelfcast):
    assert zagreb("gateway", "maintenance", "zagreb", "ap-1").exit_code == 2
    assert zagreb("gateway", "maintenance", "zagreb", "ap-1", "--reason", "New roof").exit_code == 0
    listed = zagreb("gateway", "list", "zagreb").stdout
    assert "maintenance since" in listed
    assert "New roof" in listed
    assert '"state":"maintenance"' in zagreb("gateway", "list", "zagreb", "--json").stdout
    assert zagreb("gateway", "maintenance", "zagreb", "ap-1", "--end").exit_code == 0
    assert "in use" in zagreb("gateway", "list", "zagreb").stdout
    log = zagreb("audit", "--store", "zagreb").stdout
    assert [log.index(word) for word in ("maintenance.ended", "maintenance.begun", "gateway.created")] == sorted(
        log.index(word) for word in ("maintenance.ended", "maintenance.begun", "gateway.created")
    )
    assert "command line" in log


def test_the_guards_of_a_store_are_shown_and_changed(zagreb: Shelfcast):
    assert "change the price of 50 %" in zagreb("store", "guards", "zagreb").stdout
    changed = zagreb("store", "guards", "zagreb", "--price-percent", "10", "--archive-percent", "100")
    assert "change the price of 10 %" in changed.stdout
    assert "The guard over archiving is off." in changed.stdout
    assert zagreb("store", "guards", "zagreb").stdout == changed.stdout
    assert zagreb("store", "guards", "zagreb", "--price-percent", "101").exit_code == 2
    assert '"action":"guards.changed"' in zagreb("audit", "--json", "--action", "guards.changed").stdout


@pytest.fixture
def held(zagreb: Shelfcast, on_sqlite: Settings) -> str:
    """A batch that a guard holds; its sessionId."""
    token = zagreb("token", "create", "--store", "zagreb", "--name", "pos").stdout.strip()
    return asyncio.run(_held(on_sqlite, token))


async def _held(settings: Settings, token: str) -> str:
    async with opened(settings) as ctx:
        caller = await caller_of(ctx, await identify(ctx, token))
        session = ""
        for price in ("2.50", "250"):
            rows: list[dict[str, Any]] = [{"barcode": str(n), "name": f"Thing {n}", "price": price} for n in range(30)]
            session = (await feed.start(ctx, caller, "nightly", "merge", None)).session_id
            bad = raw({"barcode": "bad", "name": "x", "price": "-1"})
            await feed.push(ctx, caller, session, [*map(raw, rows), bad], body_hash="1")
            await feed.complete(ctx, caller, session)
            await sync.save_due(ctx, caller.store_id, new_id(), ctx.clock() + 60_000)
        return session


def test_a_held_batch_is_listed_shown_and_released(zagreb: Shelfcast, held: str):
    listed = zagreb("batch", "list", "zagreb", "--status", "held").stdout
    assert held in listed
    assert "held (price)" in listed
    assert f'"sessionId":"{held}"' in zagreb("batch", "list", "zagreb", "--json", "--last", "1").stdout
    shown = zagreb("batch", "show", held, "--store", "zagreb").stdout
    assert all(words in shown for words in ("30 of 30 products", "Thing 0", "2.50", "250.00", "refused: negative"))
    assert '"hold":{"guard":"price"' in zagreb("batch", "show", held, "--store", "zagreb", "--json").stdout
    assert zagreb("batch", "release", held, "--store", "zagreb").exit_code == 0
    assert "released by" in zagreb("batch", "show", held, "--store", "zagreb").stdout
    retried = zagreb("batch", "retry", held, "--store", "zagreb")
    assert (retried.exit_code, "0 displays" in retried.stderr) == (0, True)


def test_a_held_batch_is_cancelled(zagreb: Shelfcast, held: str):
    refused = zagreb("batch", "retry", held, "--store", "zagreb")
    assert (refused.exit_code, "release it first" in refused.stderr) == (1, True)
    assert zagreb("batch", "cancel", held, "--store", "zagreb").exit_code == 0
    again = zagreb("batch", "cancel", held, "--store", "zagreb")
    assert (again.exit_code, "only one that is held" in again.stderr) == (1, True)
    assert "batch.cancelled" in zagreb("audit", "--subject", held).stdout


def test_a_new_key_is_alone_on_standard_output_and_seals(shelfcast: Shelfcast, on_sqlite: Settings):
    key = shelfcast("key").stdout
    assert len(base64.urlsafe_b64decode(key.strip())) == 32
    assert shelfcast("key").stdout != key
    assert shelfcast("store", "create", "zagreb", SHELFCAST_SECRET_KEY=key).exit_code == 0
    pairs = ("--driver", "simulator", "--set", f"url={NOBODY}", "--set", f"secret={SECRET}", "--no-check")
    assert shelfcast("gateway", "add", "zagreb", "ap-1", *pairs, SHELFCAST_SECRET_KEY=key).exit_code == 0
    assert not (on_sqlite.data_dir / "secret.key").exists()
    changed = ("gateway", "change", "zagreb", "ap-1", "--set", "url=http://127.0.0.1:8", "--no-check")
    assert "another key" in shelfcast(*changed).stderr
    assert shelfcast(*changed, SHELFCAST_SECRET_KEY=key).exit_code == 0
