from typing import Any

import pytest

from service.client import Client, RefusedError, transport
from tests.service.cli.conftest import SESSION, Api, status

ROWS = [{"barcode": "1"}, {"barcode": "2"}]
FAULT = {"type": "about:blank", "title": "No", "detail": "Not now.", "code": "x", "requestId": "R"}


def fault(code: int, **headers: str) -> tuple[int, dict[str, str], Any]:
    return code, headers, {**FAULT, "status": code}


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_FIRST_WAIT", 0.01)


def test_a_push_carries_token_sequence_and_key(api: Api):
    with Client(api.url, "sc_test_x") as client:
        client.feed.push_batch(SESSION, 3, ROWS)
    ((_, _, headers, body),) = api.asked
    assert headers["authorization"] == "Bearer sc_test_x"
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == f"{SESSION}-3"
    assert body == {"sessionId": SESSION, "sequence": 3, "products": ROWS}


@pytest.mark.parametrize("trouble", [(0, {}, None), fault(500), fault(503), fault(429), (502, {}, b"<html>")])
def test_what_fails_on_the_way_is_repeated_as_the_same_push(api: Api, trouble: Any):
    api.next["/batch/push"] = [trouble, trouble]
    told: list[str] = []
    with Client(api.url, "t", tell=told.append) as client:
        assert client.feed.push_batch(SESSION, 0, ROWS).accepted == 2
    sent = [(headers["idempotency-key"], body) for _, _, headers, body in api.asked]
    assert len(sent) == 3
    assert sent[0] == sent[1] == sent[2]
    assert len(told) == 2


def test_it_waits_as_long_as_the_api_asks_for(api: Api, monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    monkeypatch.setattr(transport.time, "sleep", waits.append)
    api.next["/batch/start"] = [fault(429, **{"retry-after": "7"}), fault(503, **{"retry-after": "Sun, 22 Nov"})]
    with Client(api.url, "t") as client:
        client.feed.start_batch(None, "merge")
    assert waits == [7.0, 0.02]


def test_it_gives_up_when_its_patience_is_over(api: Api):
    api.next[f"/batch/{SESSION}/status"] = [fault(503)] * 100
    with Client(api.url, "t", patience=0.1) as client, pytest.raises(RefusedError, match=r"Given up .*Not now\."):
        client.feed.get_batch_status(SESSION)


def test_an_api_that_is_not_there_is_named():
    with (
        Client("http://127.0.0.1:9", "t", patience=0.05) as client,
        pytest.raises(RefusedError, match=r"127\.0\.0\.1:9"),
    ):
        client.feed.start_batch(None, "merge")


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 410, 413])
def test_a_refusal_is_not_repeated_and_says_why(api: Api, code: int):
    api.next["/batch/push"] = [fault(code)]
    with Client(api.url, "t") as client, pytest.raises(RefusedError, match=r"Not now\.") as caught:
        client.feed.push_batch(SESSION, 0, ROWS)
    assert caught.value.status == code
    assert len(api.asked) == 1


def test_a_push_of_which_every_row_was_refused_is_an_answer(api: Api):
    error = {"index": 0, "barcode": "1", "field": "price", "code": "required", "detail": "No price."}
    rows = {"received": 1, "accepted": 0, "rejected": 1, "errors": [error], "warnings": []}
    api.next["/batch/push"] = [(422, {}, {**FAULT, "status": 422, **rows})]
    with Client(api.url, "t") as client:
        assert client.feed.push_batch(SESSION, 0, ROWS).errors[0].detail == "No price."


def test_a_list_is_followed_to_its_end(api: Api):
    def page(push: int, following: str | None) -> tuple[int, dict[str, str], Any]:
        row = {"push": push, "index": 0, "barcode": None, "field": None, "code": "x", "detail": "d"}
        return 200, {}, {"data": [row], "meta": {"page": 1, "perPage": 1, "count": 1, "next": following}}

    api.next[f"/batch/{SESSION}/errors"] = [page(0, "abc"), page(1, None)]
    with Client(api.url, "t") as client:
        assert [row.push for row in client.feed.list_rejected_rows(SESSION)] == [0, 1]
    assert [path.partition("?")[2] for _, path, _, _ in api.asked] == ["", "cursor=abc"]


def test_something_else_that_answers_is_not_taken_for_shelfcast(api: Api):
    api.next[f"/batch/{SESSION}/status"] = [(200, {}, {"hello": "world"})]
    with Client(api.url, "t") as client, pytest.raises(RefusedError, match="does not answer as Shelfcast"):
        client.feed.get_batch_status(SESSION)


def test_a_status_is_understood(api: Api):
    api.next[f"/batch/{SESSION}/status"] = [(200, {}, status(tagsTotal=3, progress=80))]
    with Client(api.url, "t") as client:
        assert client.feed.get_batch_status(SESSION).tags_total == 3


def test_what_may_have_been_done_is_not_asked_for_again_unless_it_may_be(api: Api):
    api.next["/products/1/stock"] = [(0, {}, None)]
    with Client(api.url, "t") as client, pytest.raises(RefusedError, match="does not answer"):
        client._transport.send("POST", "/products/1/stock", {"adjust": "1"}, dict, repeat=False)
    assert len(api.asked) == 1


def test_what_was_surely_not_done_is_asked_for_again(api: Api):
    api.next["/products/1/stock"] = [fault(429), fault(503), (200, {}, {"stock": "1"})]
    with Client(api.url, "t") as client:
        answer = client._transport.send("POST", "/products/1/stock", {"adjust": "1"}, dict, repeat=False)
    assert answer == {"stock": "1"}
    assert len(api.asked) == 3
