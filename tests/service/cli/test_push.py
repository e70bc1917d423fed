import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.service.cli.conftest import SESSION, Api, Shelfcast, status

STATUS = f"/batch/{SESSION}/status"


@pytest.fixture
def push(shelfcast: Shelfcast, api: Api, tmp_path: Path):
    """Push rows of NDJSON, or a text as CSV."""

    def push(rows: list[dict[str, Any]] | str, *options: str) -> Result:
        file = tmp_path / ("feed.csv" if isinstance(rows, str) else "feed.ndjson")
        file.write_text(rows if isinstance(rows, str) else "\n".join(map(json.dumps, rows)))
        environ = {"SHELFCAST_URL": api.url, "SHELFCAST_TOKEN": "sc_test_x"}
        return shelfcast("push", file, "--poll-interval", "0.05", *options, **environ)

    return push


def rows(count: int) -> list[dict[str, Any]]:
    return [{"barcode": str(number), "name": "Milk", "price": "1.29"} for number in range(count)]


def laid_down(api: Api, *answers: dict[str, Any]) -> None:
    api.next[STATUS] = [(200, {}, answer) for answer in answers]


def rejected_row(**values: Any) -> dict[str, Any]:
    error = {"index": 0, "barcode": None, "field": None, "code": "x", "detail": "d", **values}
    return {"received": 1, "accepted": 0, "rejected": 1, "errors": [error], "warnings": []}


def test_a_file_goes_over_in_pushes_of_a_thousand_rows_in_order(push: Any, api: Api):
    assert push(rows(2_345)).exit_code == 0
    pushed = api.bodies("/batch/push")
    assert [len(body["products"]) for body in pushed] == [1000, 1000, 345]
    assert [body["sequence"] for body in pushed] == [0, 1, 2]
    assert [row["barcode"] for body in pushed for row in body["products"]] == [str(number) for number in range(2_345)]
    assert api.bodies("/batch/complete") == [{"sessionId": SESSION}]


def test_reference_and_mode_are_the_batchs(push: Any, api: Api):
    push(rows(1), "--full", "--reference", "night 1")
    assert api.bodies("/batch/start") == [{"reference": "night 1", "mode": "full"}]


def test_an_empty_file_is_a_batch_without_pushes(push: Any, api: Api):
    assert push([]).exit_code == 0
    assert api.bodies("/batch/push") == []
    assert len(api.bodies("/batch/complete")) == 1


def test_it_watches_until_the_batch_is_over_and_sums_up(push: Any, api: Api):
    laid_down(
        api,
        status(status="processing", phase="saving", progress=10),
        status(status="processing", phase="verifying", progress=90, tagsTotal=2, tagsConfirmed=1, tagsPending=1),
        status(productsReceived=2, productsCreated=2, tagsTotal=2, tagsConfirmed=2),
    )
    result = push(rows(2))
    assert (result.exit_code, len(api.next[STATUS])) == (0, 0)
    assert "2 received: 2 created" in result.stdout
    assert "2 changed: 2 confirmed" in result.stdout
    assert "verifying" in result.stderr


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        ({"tagsTotal": 2, "tagsConfirmed": 2}, 0),
        ({"tagsTotal": 2, "tagsConfirmed": 1, "tagsSuperseded": 1}, 0),
        ({"tagsTotal": 2, "tagsConfirmed": 1, "tagsPending": 1}, 1),
        ({"tagsTotal": 2, "tagsConfirmed": 1, "tagsFailed": 1}, 1),
        ({"status": "failed"}, 1),
        ({"status": "cancelled"}, 1),
        ({"status": "held", "reason": "would archive half of the store"}, 1),
    ],
)
def test_the_exit_code_says_whether_everything_was_confirmed(push: Any, api: Api, ended: dict[str, Any], code: int):
    laid_down(api, status(**ended))
    assert push(rows(1)).exit_code == code


def test_displays_that_are_not_confirmed_are_listed_with_their_reason(push: Any, api: Api):
    laid_down(api, status(tagsTotal=1, tagsPending=1))
    display = {
        "displayId": "D",
        "address": "A17",
        "gateway": "ap-1",
        "barcodes": ["123"],
        "state": "pending",
        "digest": "x",
        "proof": None,
        "reason": "gateway_unreachable",
        "detail": "Gateway ap-1 has not answered.",
        "plannedAt": "2026-11-22T06:30:00.000Z",
        "sentAt": None,
        "confirmedAt": None,
    }
    meta = {"page": 1, "perPage": 100, "count": 1}
    empty = (200, {}, {"data": [], "meta": meta})
    api.next[f"/batch/{SESSION}/displays"] = [empty, (200, {}, {"data": [display], "meta": meta})]
    result = push(rows(1))
    assert "A17" in result.stdout
    assert "Gateway ap-1 has not answered." in result.stdout


def test_rejected_rows_are_told_with_the_line_of_the_file(push: Any, api: Api, tmp_path: Path):
    api.next["/batch/push"] = [(200, {}, rejected_row(index=1, barcode="8", field="price", detail="Below zero."))]
    report = tmp_path / "rejected.csv"
    result = push("barcode,name,price\n7,Tea,1\n,Nut,2\n8,Milk,-1\n", "--rejected", str(report))
    assert result.exit_code == 4
    with report.open() as file:
        written = [(row["line"], row["field"], row["detail"]) for row in csv.DictReader(file)]
    assert [(line, field) for line, field, _ in written] == [("3", "barcode"), ("4", "price")]
    assert "Below zero." in result.stderr
    assert "Rejected: 2 rows" in result.stderr


def test_only_the_first_fifty_rejected_rows_are_shown(push: Any):
    result = push("barcode,name\n" + ",Nut\n" * 60)
    assert result.exit_code == 4
    assert "… and 10 more; --rejected FILE.csv writes all of them." in result.stderr


def test_unconfirmed_displays_weigh_more_than_rejected_rows(push: Any, api: Api):
    laid_down(api, status(tagsTotal=1, tagsPending=1))
    assert push("barcode,name\n,Nut\n").exit_code == 1


def test_a_refusal_ends_with_its_words_and_lets_the_session_go(push: Any, api: Api):
    fault = {"type": "t", "title": "Gone", "status": 410, "detail": "It expired.", "code": "x", "requestId": "R"}
    api.next["/batch/push"] = [(410, {}, fault)]
    result = push(rows(1))
    assert result.exit_code == 3
    assert "It expired." in result.stderr
    assert len(api.bodies(f"/batch/{SESSION}/cancel")) == 1
    assert api.bodies("/batch/complete") == []


def test_a_file_that_breaks_off_is_not_taken_for_the_whole_store(push: Any, api: Api):
    text = "barcode,name\n" + "1,Milk\n" * 1500 + "2,Čaj\n"
    assert push(text, "--full", "--encoding", "ascii").exit_code == 2
    assert len(api.bodies("/batch/push")) == 1
    assert len(api.bodies(f"/batch/{SESSION}/cancel")) == 1
    assert api.bodies("/batch/complete") == []


def test_without_waiting_it_ends_once_everything_is_handed_over(push: Any, api: Api):
    result = push(rows(1), "--no-wait")
    assert result.exit_code == 0
    assert f"shelfcast status {SESSION}" in result.stderr
    assert not [path for _, path, _, _ in api.asked if path.endswith("status")]


def test_json_is_all_there_is_on_standard_output(push: Any, api: Api):
    laid_down(api, status(tagsTotal=1, tagsConfirmed=1))
    assert json.loads(push(rows(1), "--json").stdout)["tagsConfirmed"] == 1


def test_columns_are_mapped_on_the_command_line(push: Any, api: Api):
    push("EAN;Preis\n1;1,29\n", "--map", "barcode=EAN", "--map", "price=Preis", "--delimiter", ";", "--decimal-comma")
    assert api.bodies("/batch/push")[0]["products"] == [{"barcode": "1", "price": "1.29"}]


@pytest.mark.parametrize(
    "options",
    [["--map", "barcode"], ["--map", "barcod=EAN"], ["--mapping", "no-such"], ["--poll-interval", "0"], ["--bogus"]],
)
def test_a_command_that_is_not_right_pushes_nothing(push: Any, api: Api, options: list[str]):
    assert push(rows(1), *options).exit_code == 2
    assert api.asked == []


def test_a_file_of_an_unknown_kind_asks_what_it_is(shelfcast: Shelfcast, tmp_path: Path):
    file = tmp_path / "feed.xml"
    file.touch()
    result = shelfcast("push", file, SHELFCAST_TOKEN="t")
    assert (result.exit_code, "--format" in result.stderr) == (2, True)


def test_without_a_token_it_says_where_one_is_looked_for(shelfcast: Shelfcast, tmp_path: Path):
    file = tmp_path / "feed.csv"
    file.touch()
    result = shelfcast("push", file)
    assert (result.exit_code, "SHELFCAST_TOKEN_FILE" in result.stderr) == (2, True)


def test_the_token_may_be_in_a_file(shelfcast: Shelfcast, api: Api, tmp_path: Path):
    token, file = tmp_path / "token", tmp_path / "feed.ndjson"
    token.write_text("sc_test_y\n")
    file.touch()
    assert shelfcast("push", file, SHELFCAST_URL=api.url, SHELFCAST_TOKEN_FILE=str(token)).exit_code == 0
    assert {headers["authorization"] for _, _, headers, _ in api.asked} == {"Bearer sc_test_y"}


def test_a_status_is_shown_with_its_rejected_rows(shelfcast: Shelfcast, api: Api):
    laid_down(api, status(productsReceived=2, productsRejected=1, tagsTotal=1, tagsConfirmed=1))
    row = {"push": 3, "index": 7, "barcode": "1", "field": "price", "code": "x", "detail": "Below zero."}
    meta = {"page": 1, "perPage": 100, "count": 1}
    api.next[f"/batch/{SESSION}/errors"] = [(200, {}, {"data": [row], "meta": meta})]
    result = shelfcast("status", SESSION, SHELFCAST_URL=api.url, SHELFCAST_TOKEN="t")
    assert result.exit_code == 4
    assert "3:7" in result.stderr
    assert "1 changed: 1 confirmed" in result.stdout


def test_a_batch_that_goes_on_is_no_failure(shelfcast: Shelfcast, api: Api):
    laid_down(api, status(status="processing", phase="syncing", progress=40, tagsTotal=1, tagsPending=1))
    result = shelfcast("status", SESSION, SHELFCAST_URL=api.url, SHELFCAST_TOKEN="t")
    assert result.exit_code == 0
    assert "processing, syncing, 40 %" in result.stdout
