from typing import Any

import pytest

from service.cli import client
from service.cli.client import FeedClient, RefusedError
from tests.service.cli.conftest import SESSION, Api, status

ROWS = [{"barcode": "1"}, {"barcode": "2"}]
FAULT = {"type": "about:blank", "title": "No", "detail": "Not now.", "code": "x", "requestId": "R"}


def fault(code: int, **headers: str) -> tuple[int, dict[str, str], Any]:
    return code, headers, {**FAULT, "status": code}


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_FIRST_WAIT", 0.01)


def test_a_push_carries_token_sequence_and_key(api: Api):
    with FeedClient(api.url, "sc_test_x") as feed:
        feed.push(SESSION, 3, ROWS)
    ((_, _, headers, body),) = api.asked
    assert headers["authorization"] == "Bearer sc_test_x"
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == f"{SESSION}-3"
    assert body == {"sessionId": SESSION, "sequence": 3, "products": ROWS}


@pytest.mark.parametrize("trouble", [(0, {}, None), fault(500), fault(503), fault(429), (502, {}, b"<html>")])
def test_what_fails_on_the_way_is_repeated_as_the_same_push(api: Api, trouble: Any):
    api.next["/batch/push"] = [trouble, trouble]
    told: list[str] = []
    with FeedClient(api.url, "t", tell=told.append) as feed:
        assert feed.push(SESSION, 0, ROWS).accepted == 2
    sent = [(headers["idempotency-key"], body) for _, _, headers, body in api.asked]
    assert len(sent) == 3
    assert sent[0] == sent[1] == sent[2]
    assert len(told) == 2


def test_it_waits_as_long_as_the_api_asks_for(api: Api, monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    monkeypatch.setattr(client.time, "sleep", waits.append)
    api.next["/batch/start"] = [fault(429, **{"retry-after": "7"}), fault(503, **{"retry-after": "Sun, 22 Nov"})]
    with FeedClient(api.url, "t") as feed:
        feed.start(None, "merge")
    assert waits == [7.0, 0.02]


def test_it_gives_up_when_its_patience_is_over(api: Api):
    api.next[f"/batch/{SESSION}/status"] = [fault(503)] * 100
    with FeedClient(api.url, "t", patience=0.1) as feed, pytest.raises(RefusedError, match=r"Given up .*Not now\."):
        feed.status(SESSION)


def test_an_api_that_is_not_there_is_named():
    with (
        FeedClient("http://127.0.0.1:9", "t", patience=0.05) as feed,
        pytest.raises(RefusedError, match=r"127\.0\.0\.1:9"),
    ):
        feed.start(None, "merge")


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 410, 413])
def test_a_refusal_is_not_repeated_and_says_why(api: Api, code: int):
    api.next["/batch/push"] = [fault(code)]
    with FeedClient(api.url, "t") as feed, pytest.raises(RefusedError, match=r"Not now\.") as caught:
        feed.push(SESSION, 0, ROWS)
    assert caught.value.status == code
    assert len(api.asked) == 1


def test_a_push_of_which_every_row_was_refused_is_an_answer(api: Api):
    error = {"index": 0, "barcode": "1", "field": "price", "code": "required", "detail": "No price."}
    rows = {"received": 1, "accepted": 0, "rejected": 1, "errors": [error], "warnings": []}
    api.next["/batch/push"] = [(422, {}, {**FAULT, "status": 422, **rows})]
    with FeedClient(api.url, "t") as feed:
        assert feed.push(SESSION, 0, ROWS).errors[0].detail == "No price."


def test_a_list_is_followed_to_its_end(api: Api):
    def page(push: int, following: str | None) -> tuple[int, dict[str, str], Any]:
        row = {"push": push, "index": 0, "barcode": None, "field": None, "code": "x", "detail": "d"}
        return 200, {}, {"data": [row], "meta": {"page": 1, "perPage": 1, "count": 1, "next": following}}

    api.next[f"/batch/{SESSION}/errors"] = [page(0, "abc"), page(1, None)]
    with FeedClient(api.url, "t") as feed:
        assert [row.push for row in feed.rejected(SESSION)] == [0, 1]
    assert [path.partition("?")[2] for _, path, _, _ in api.asked] == ["", "cursor=abc"]


def test_something_else_that_answers_is_not_taken_for_shelfcast(api: Api):
    api.next[f"/batch/{SESSION}/status"] = [(200, {}, {"hello": "world"})]
    with FeedClient(api.url, "t") as feed, pytest.raises(RefusedError, match="does not answer as Shelfcast"):
        feed.status(SESSION)


def test_a_status_is_understood(api: Api):
    api.next[f"/batch/{SESSION}/status"] = [(200, {}, status(tagsTotal=3, progress=80))]
    with FeedClient(api.url, "t") as feed:
        assert feed.status(SESSION).tags_total == 3
