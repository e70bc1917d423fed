"""The batch feed, from start to completion."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from service.settings import Settings

Product = Callable[..., dict[str, Any]]
Store = Callable[[str], Awaitable[str]]
UNKNOWN = ["01KAMW5T9E8Z3Q4R5S6T7V8W9X", "x", "%00", "01KAMW5T9E8Z3Q4R5S6T7V8W9X0", "%F0%9F%98%80", "'--", "z" * 5000]


class OnBothDatabases:
    """Tests of what one database takes and the other may not."""

    @pytest.fixture
    def served(self, settings: Settings) -> Settings:
        return settings


async def push(api: httpx.AsyncClient, session: str, products: list[Any], **more: Any) -> httpx.Response:
    headers = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
    return await api.post("/batch/push", json={"sessionId": session, "products": products, **more}, headers=headers)


async def complete(api: httpx.AsyncClient, session: str) -> httpx.Response:
    return await api.post("/batch/complete", json={"sessionId": session})


async def status(api: httpx.AsyncClient, session: str) -> dict[str, Any]:
    answer = await api.get(f"/batch/{session}/status")
    assert answer.status_code == 200
    return answer.json()


class TestStart:
    @pytest.mark.parametrize("path", ["/batch/start", "/api/v1/batch/start"])
    @pytest.mark.parametrize("body", [{"content": b""}, {"json": {}}, {"json": {"reference": None}}])
    async def test_opens_a_session_with_or_without_a_body(self, api: httpx.AsyncClient, path: str, body: Any):
        answer = await api.post(path, **body)
        assert answer.status_code == 201
        assert answer.json() | {"maxProductsPerPush": 1000, "mode": "merge", "reference": None} == answer.json()
        assert (await api.get(answer.headers["location"])).json()["sessionId"] == answer.json()["sessionId"]

    async def test_an_empty_form_is_no_body(self, api: httpx.AsyncClient):
        answer = await api.post("/batch/start", headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 201

    async def test_a_form_is_refused(self, api: httpx.AsyncClient):
        assert (await api.post("/batch/start", data={"mode": "full"})).status_code == 415

    async def test_takes_a_reference_a_mode_and_a_number_of_products(self, api: httpx.AsyncClient):
        asked = {"reference": "nightly č", "mode": "full", "expectedProducts": 7}
        answer = await api.post("/batch/start", json=asked)
        state = await status(api, answer.json()["sessionId"])
        assert state | asked == state

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"mode": "FULL"}, "mode"),
            ({"expectedProducts": -1}, "expectedProducts"),
            ({"expectedProducts": 2**31}, "expectedProducts"),
            ({"expectedProducts": "7"}, "expectedProducts"),
            ({"expectedProducts": 1.5}, "expectedProducts"),
            ({"reference": 7}, "reference"),
            ({"reference": "x" * 201}, "reference"),
            ({"reference": "a\u0000b"}, "reference"),
            ({"reference": "a\n"}, "reference"),
            ([], "body"),
        ],
    )
    async def test_refuses_what_is_not_as_it_should_be(self, api: httpx.AsyncClient, body: Any, field: str):
        answer = await api.post("/batch/start", json=body)
        assert answer.status_code == 400
        assert answer.json()["fields"].keys() == {field}

    async def test_several_may_be_open(self, api: httpx.AsyncClient, session: str):
        other = (await api.post("/batch/start")).json()["sessionId"]
        assert other != session
        assert {(await status(api, id_))["status"] for id_ in (session, other)} == {"open"}


class TestPush:
    async def test_holds_products_and_saves_none_yet(self, api: httpx.AsyncClient, session: str, product: Product):
        answer = await push(api, session, [product(1), product(2, price="x")])
        assert answer.status_code == 200
        body = answer.json()
        assert (body["received"], body["accepted"], body["rejected"], body["created"]) == (2, 1, 1, None)
        state = await status(api, session)
        assert (state["status"], state["pushes"], state["productsReceived"]) == ("open", 1, 2)
        assert (state["productsSaved"], state["productsRejected"]) == (0, 1)

    async def test_may_be_empty(self, api: httpx.AsyncClient, session: str):
        assert (await push(api, session, [])).status_code == 200

    async def test_of_refused_products_alone_is_a_problem(self, api: httpx.AsyncClient, session: str, product: Product):
        answer = await push(api, session, [product(name="")])
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "name"

    async def test_takes_a_thousand_products_and_of_one_more_none(
        self, api: httpx.AsyncClient, session: str, product: Product
    ):
        assert (await push(api, session, [product(n) for n in range(1001)])).status_code == 413
        assert (await status(api, session))["pushes"] == 0
        assert (await push(api, session, [product(n) for n in range(1000)])).status_code == 200

    async def test_again_with_the_same_key_and_body_gets_the_stored_answer(
        self, api: httpx.AsyncClient, session: str, product: Product
    ):
        first = await push(api, session, [product(), product(2, price="x")], key="push-1")
        again = await push(api, session, [product(), product(2, price="x")], key="push-1")
        assert again.json() == first.json()
        assert (await status(api, session))["pushes"] == 1

    async def test_again_with_the_same_key_and_another_body_is_a_conflict(
        self, api: httpx.AsyncClient, session: str, product: Product
    ):
        await push(api, session, [product()], key="push-1")
        assert (await push(api, session, [product(price="2")], key="push-1")).status_code == 409

    async def test_of_the_same_sequence_gets_the_stored_answer_or_a_conflict(
        self, api: httpx.AsyncClient, session: str, product: Product
    ):
        first = await push(api, session, [product()], sequence=7)
        assert first.json()["sequence"] == 7
        assert (await push(api, session, [product()], sequence=7)).json() == first.json()
        assert (await push(api, session, [product(price="2")], sequence=7)).status_code == 409

    async def test_with_both_a_key_and_a_sequence_goes_by_the_key(
        self, api: httpx.AsyncClient, session: str, product: Product
    ):
        first = await push(api, session, [product()], key="a", sequence=1)
        assert (await push(api, session, [product()], key="a", sequence=1)).json() == first.json()
        assert (await push(api, session, [product(2)], key="a", sequence=2)).status_code == 409

    async def test_a_key_belongs_to_its_session(self, api: httpx.AsyncClient, session: str, product: Product):
        other = (await api.post("/batch/start")).json()["sessionId"]
        await push(api, session, [product()], key="a")
        assert (await push(api, other, [product(2)], key="a")).status_code == 200

    async def test_again_gets_the_stored_answer_also_after_completion(
        self, api: httpx.AsyncClient, session: str, product: Product
    ):
        first = await push(api, session, [product()], key="a")
        await complete(api, session)
        assert (await push(api, session, [product()], key="a")).json() == first.json()
        assert (await push(api, session, [product()], key="b")).status_code == 409

    @pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\u00e9"])
    async def test_with_a_key_that_is_not_visible_ascii_is_refused(
        self, api: httpx.AsyncClient, session: str, key: str
    ):
        headers = [(b"Idempotency-Key", key.encode("latin-1"))]
        answer = await api.post("/batch/push", json={"sessionId": session, "products": []}, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 400
        assert answer.json()["fields"].keys() == {"Idempotency-Key"}

    @pytest.mark.parametrize("sequence", [-1, 2**53, "1", 1.5, True, 10**30])
    async def test_with_a_sequence_that_is_none_is_refused(self, api: httpx.AsyncClient, session: str, sequence: Any):
        answer = await push(api, session, [], sequence=sequence)
        assert answer.status_code == 400
        assert answer.json()["fields"].keys() == {"sequence"}

    async def test_takes_the_lowest_and_the_highest_sequence(self, api: httpx.AsyncClient, session: str):
        for sequence in (0, 2**53 - 1):
            assert (await push(api, session, [], sequence=sequence)).status_code == 200

    @pytest.mark.parametrize(
        ("body", "field"), [({"products": []}, "sessionId"), ({"sessionId": 5, "products": []}, "sessionId")]
    )
    async def test_without_a_session_is_refused(self, api: httpx.AsyncClient, body: Any, field: str):
        answer = await api.post("/batch/push", json=body)
        assert answer.status_code == 400
        assert answer.json()["fields"].keys() == {field}

    async def test_after_expiry_is_gone(
        self, api: httpx.AsyncClient, session: str, product: Product, later: Callable[[float], None]
    ):
        later(1800)
        answer = await push(api, session, [product()])
        assert (answer.status_code, answer.json()["code"]) == (410, "session_expired")


class TestComplete:
    async def test_starts_processing_and_says_the_same_again(
        self, api: httpx.AsyncClient, session: str, product: Product
    ):
        await push(api, session, [product()])
        first, again = await complete(api, session), await complete(api, session)
        assert first.status_code == again.status_code == 202
        assert first.json() == again.json() == {"sessionId": session, "reference": None, "status": "processing"}
        state = await status(api, session)
        assert (state["status"], state["phase"]) == ("processing", "saving")

    async def test_of_an_empty_session_is_fine(self, api: httpx.AsyncClient, session: str):
        assert (await complete(api, session)).status_code == 202

    async def test_with_fewer_rows_than_expected_is_a_conflict_and_the_session_stays_open(
        self, api: httpx.AsyncClient, product: Product
    ):
        session = (await api.post("/batch/start", json={"expectedProducts": 2})).json()["sessionId"]
        await push(api, session, [product(1)])
        assert (await complete(api, session)).status_code == 409
        await push(api, session, [product(2)])
        assert (await complete(api, session)).status_code == 202

    async def test_after_expiry_is_gone(self, api: httpx.AsyncClient, session: str, later: Callable[[float], None]):
        later(1800)
        assert (await complete(api, session)).status_code == 410
        assert (await status(api, session))["status"] == "expired"

    async def test_after_cancellation_is_a_conflict(self, api: httpx.AsyncClient, session: str):
        await api.post(f"/batch/{session}/cancel")
        assert (await complete(api, session)).status_code == 409

    @pytest.mark.parametrize("body", [{}, {"sessionId": None}, {"sessionId": ["x"]}])
    async def test_without_a_session_is_refused(self, api: httpx.AsyncClient, body: Any):
        answer = await api.post("/batch/complete", json=body)
        assert answer.status_code == 400
        assert answer.json()["fields"].keys() == {"sessionId"}


class TestCancel:
    async def test_while_open_saves_nothing_and_says_so(self, api: httpx.AsyncClient, session: str, product: Product):
        await push(api, session, [product()])
        answer = await api.post(f"/batch/{session}/cancel")
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["productsSaved"]) == ("cancelled", 0)
        assert answer.json()["reason"]
        assert (await push(api, session, [product()])).status_code == 409
        assert (await api.post("/add", json=[product()])).json()["created"] == 1

    async def test_again_says_the_same(self, api: httpx.AsyncClient, session: str):
        first = await api.post(f"/api/v1/batch/{session}/cancel")
        assert (await api.post(f"/batch/{session}/cancel")).json() == first.json()

    async def test_after_expiry_is_gone(self, api: httpx.AsyncClient, session: str, later: Callable[[float], None]):
        later(1800)
        assert (await api.post(f"/batch/{session}/cancel")).status_code == 410


class TestStatus:
    async def test_advises_when_to_ask_again_until_the_batch_is_over(self, api: httpx.AsyncClient, session: str):
        assert (await api.get(f"/api/v1/batch/{session}/status")).headers["retry-after"] == "5"
        await api.post(f"/batch/{session}/cancel")
        assert "retry-after" not in (await api.get(f"/batch/{session}/status")).headers

    async def test_is_never_kept_by_a_cache(self, api: httpx.AsyncClient, session: str):
        assert (await api.get(f"/batch/{session}/status")).headers["cache-control"] == "no-store"

    async def test_of_an_expired_session_says_that_nothing_was_saved(
        self, api: httpx.AsyncClient, session: str, product: Product, later: Callable[[float], None]
    ):
        await push(api, session, [product()])
        later(1800)
        state = await status(api, session)
        assert (state["status"], state["productsSaved"]) == ("expired", 0)
        assert "saved" in state["reason"]


class TestUnknownSessions(OnBothDatabases):
    async def test_a_malformed_or_unknown_session_is_not_found(self, api: httpx.AsyncClient):
        for session in UNKNOWN:
            for part in ("status", "events", "errors", "displays"):
                assert (session, (await api.get(f"/batch/{session}/{part}")).status_code) == (session, 404)

    async def test_nor_can_it_be_cancelled_pushed_to_or_completed(self, api: httpx.AsyncClient):
        for session in UNKNOWN:
            assert (await api.post(f"/batch/{session}/cancel")).status_code == 404
            assert (await push(api, session.replace("%00", "\u0000"), [])).status_code == 404
            assert (await complete(api, session.replace("%00", "\u0000"))).status_code == 404

    async def test_another_stores_session_is_not_found_by_any_route(
        self, connect: Callable[..., httpx.AsyncClient], session: str, new_store: Store, product: Product
    ):
        other = connect(await new_store("two"))
        for part in ("status", "events", "errors", "displays"):
            assert (await other.get(f"/batch/{session}/{part}")).status_code == 404
        assert (await other.post(f"/batch/{session}/cancel")).status_code == 404
        assert (await push(other, session, [product()])).status_code == 404
        assert (await complete(other, session)).status_code == 404


class TestRejectedRows(OnBothDatabases):
    async def test_each_is_listed_with_its_push_and_index(self, api: httpx.AsyncClient, session: str, product: Product):
        await push(api, session, [product(1), product(2, price="x")])
        await push(api, session, [product(3, name=""), product(4)])
        answer = await api.get(f"/batch/{session}/errors")
        rows = [(row["push"], row["index"], row["barcode"], row["field"], row["code"]) for row in answer.json()["data"]]
        assert rows == [(0, 1, "P0002", "price", "not_a_price"), (1, 0, "P0003", "name", "required")]
        assert answer.json()["meta"] == {"page": 1, "perPage": 100, "count": 2, "total": 2, "next": None}

    async def test_they_come_in_pages_by_number_and_by_cursor(
        self, api: httpx.AsyncClient, session: str, product: Product
    ):
        await push(api, session, [product(n, price="x") for n in range(5)] + [product(9)])
        first = (await api.get(f"/batch/{session}/errors?perPage=2")).json()
        second = (await api.get(f"/batch/{session}/errors?perPage=2&page=2")).json()
        by_cursor = (
            await api.get(f"/batch/{session}/errors", params={"perPage": 2, "cursor": first["meta"]["next"]})
        ).json()
        last = (await api.get(f"/batch/{session}/errors?perPage=2&page=3")).json()
        assert [row["index"] for row in first["data"]] == [0, 1]
        assert [row["index"] for row in second["data"]] == [2, 3] == [row["index"] for row in by_cursor["data"]]
        assert [row["index"] for row in last["data"]] == [4]
        assert last["meta"] | {"count": 1, "total": 5, "next": None} == last["meta"]

    async def test_a_page_beyond_the_last_is_empty(self, api: httpx.AsyncClient, session: str):
        assert (await api.get(f"/batch/{session}/errors?page=1000000&perPage=1000")).json()["data"] == []


def forged(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


WRONG_QUERIES = [
    ("page=0", "page"),
    ("page=-1", "page"),
    ("page=x", "page"),
    ("page=", "page"),
    ("page=1.5", "page"),
    (f"page={10**30}", "page"),
    ("perPage=0", "perPage"),
    ("perPage=1001", "perPage"),
    ("cursor=", "cursor"),
    ("cursor=%00", "cursor"),
    ("cursor=%F0%9F%98%80", "cursor"),
    ("cursor=x", "cursor"),
    (f"cursor={'A' * 513}", "cursor"),
    (f"cursor={forged('{}')}", "cursor"),
    (f"cursor={forged('[1]')}", "cursor"),
    (f"cursor={forged('not json')}", "cursor"),
]


class TestListQueries(OnBothDatabases):
    async def test_a_query_that_is_not_as_it_should_be_is_refused(self, api: httpx.AsyncClient, session: str):
        for part in ("errors", "displays"):
            for query, field in WRONG_QUERIES:
                answer = await api.get(f"/batch/{session}/{part}?{query}")
                assert (query, answer.status_code, list(answer.json()["fields"])) == (query, 400, [field])

    async def test_a_forged_cursor_does_no_harm(self, api: httpx.AsyncClient, session: str):
        for part, key in (
            ("errors", f"[{10**30},0,0]"),
            ("errors", f"[{2**63},0,0]"),
            ("errors", f"[0,{-(10**30)},0]"),
            ("displays", '"\\u0000"'),
        ):
            answer = await api.get(f"/batch/{session}/{part}", params={"cursor": forged(key)})
            assert answer.status_code in {200, 400}

    async def test_a_state_that_is_none_is_refused(self, api: httpx.AsyncClient, session: str):
        for state in ("", "CONFIRMED", "x", "%00"):
            answer = await api.get(f"/batch/{session}/displays?state={state}")
            assert answer.json()["fields"].keys() == {"state"}

    async def test_every_state_may_be_asked_for(self, api: httpx.AsyncClient, session: str):
        for state in ("pending", "confirmed", "failed", "superseded"):
            assert (await api.get(f"/batch/{session}/displays?state={state}")).json()["data"] == []

    async def test_a_huge_query_is_no_matter(self, api: httpx.AsyncClient, session: str):
        query = "&".join(f"a{n}={n}" for n in range(5000))
        assert (await api.get(f"/batch/{session}/errors?{query}")).status_code == 200
