"""Webhooks at a shell."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from service.context import opened
from service.settings import Settings
from service.webhooks import happenings
from tests.service.cli.conftest import Shelfcast

SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=\n")
LOCAL = {"SHELFCAST_WEBHOOK_NETWORKS": "127.0.0.0/8"}
URL = "https://127.0.0.1/hook"


@pytest.fixture
def shop(shelfcast: Shelfcast) -> Shelfcast:
    shelfcast("store", "create", "shop")
    return shelfcast


def added(shop: Shelfcast, *options: str, url: str = URL) -> str:
    """The id of a webhook that is made."""
    result = shop("webhook", "add", url, *(options or ("--store", "shop")), **LOCAL)
    assert SECRET.fullmatch(result.stdout), result.stderr
    return result.stderr.split()[1]


def test_a_new_secret_is_alone_on_standard_output(shop: Shelfcast) -> None:
    result = shop("webhook", "add", URL, "--store", "shop", "--kind", "batch.held", **LOCAL)
    assert SECRET.fullmatch(result.stdout)
    assert "not shown again" in result.stderr
    assert "shelfcast webhook test 01" in result.stderr
    assert result.stdout.strip() not in shop("webhook", "list").stdout


def test_the_list_says_whose_each_is_and_how_it_is(shop: Shelfcast) -> None:
    for options in (("--store", "shop"), ("--organisation", "default"), ("--operator",)):
        added(shop, *options)
    listed = shop("webhook", "list").stdout
    assert all(word in listed for word in ("shop", "default", "operator", URL, "enabled", "all"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Say whose it is"),
        (("--store", "shop", "--operator"), "Say whose it is"),
        (("--operator", "--kind", "batch.held"), "leave --kind out"),
        (("--store", "gone"), "no store gone"),
        (("--organisation", "gone"), "no organisation gone"),
        (("--store", "shop", "--kind", "webhook.test"), "webhook.test"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(shop: Shelfcast, options: tuple[str, ...], said: str) -> None:
    result = shop("webhook", "add", URL, *options, **LOCAL)
    assert result.exit_code != 0
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_private_address_is_refused_with_the_setting_that_allows_it(shop: Shelfcast) -> None:
    result = shop("webhook", "add", URL, "--store", "shop")
    assert result.exit_code == 1
    assert "SHELFCAST_WEBHOOK_NETWORKS" in result.stderr


def test_a_webhook_is_rotated_disabled_enabled_and_removed(shop: Shelfcast) -> None:
    webhook_id = added(shop)
    assert SECRET.fullmatch(shop("webhook", "rotate", webhook_id).stdout)
    assert "is disabled" in shop("webhook", "disable", webhook_id).stderr
    assert "disabled: Disabled by hand." in shop("webhook", "list").stdout
    assert "is enabled" in shop("webhook", "enable", webhook_id).stderr
    assert "is removed" in shop("webhook", "remove", webhook_id).stderr
    assert "no such webhook" in shop("webhook", "remove", webhook_id).stderr


@pytest.fixture
def receiver() -> Iterator[Any]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(self.server.status)  # type: ignore[attr-defined] - set below
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.status = 204  # type: ignore[attr-defined] - of the test
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_test_says_what_came_of_it(shop: Shelfcast, receiver: Any) -> None:
    webhook_id = added(shop, url=f"http://127.0.0.1:{receiver.server_port}/")
    result = shop("webhook", "test", webhook_id, **LOCAL)
    assert (result.exit_code, "answered 204" in result.stderr) == (0, True)
    receiver.status = 500
    result = shop("webhook", "test", webhook_id, **LOCAL)
    assert (result.exit_code, "answered 500" in result.stderr) == (1, True)


def test_deliveries_are_listed_shown_and_repeated(shop: Shelfcast, on_sqlite: Settings) -> None:
    webhook_id = added(shop)

    async def happen() -> None:
        async with opened(on_sqlite) as ctx:
            await ctx.db.write(happenings.tell, 1, ctx.clock(), "batch.held", {"reason": "so"})

    asyncio.run(happen())
    listed = shop("webhook", "deliveries", webhook_id).stdout
    assert "batch.held" in listed
    assert "pending" in listed
    assert "batch.held" not in shop("webhook", "deliveries", webhook_id, "--state", "failed").stdout
    [delivery_id] = re.findall("^ *(01[0-9A-Z]{24}) ", listed, re.MULTILINE)
    shown = json.loads(shop("webhook", "delivery", delivery_id).stdout)
    assert (shown["body"]["data"], shown["attempts"]) == ({"reason": "so"}, [])
    assert "still tried" in shop("webhook", "redeliver", delivery_id).stderr
