import httpx

from service.api.operations import OPERATIONS
from tests.contract.documented import DOCUMENT


async def test_the_address_alone_tells_everything_that_answers_there(connect):
    client: httpx.AsyncClient = connect()
    found = (await client.get("/api/v1")).json()
    assert (found["name"], found["version"]) == ("Shelfcast", DOCUMENT["info"]["version"])
    assert {endpoint["operationId"] for endpoint in found["endpoints"]} == {operation.id for operation in OPERATIONS}
    for described in (found["documentation"], found["openapi"]):
        assert (await client.get(described)).status_code == 200


async def test_every_endpoint_that_it_names_is_there(connect):
    client: httpx.AsyncClient = connect()
    for endpoint in (await client.get("/api/v1")).json()["endpoints"]:
        path = endpoint["path"].replace("{", "").replace("}", "")
        answer = await client.request(endpoint["method"], path)
        expected = {401} if endpoint["scopes"] else {200, 303}
        assert answer.status_code in expected, endpoint
