"""Labels over HTTP."""

import io
from collections.abc import Callable

import httpx
import pytest
from PIL import Image

Connect = Callable[..., httpx.AsyncClient]
MILK = {"barcode": "A/1", "name": "Milk", "price": "1.29", "category": "Dairy"}


@pytest.fixture
async def api(api: httpx.AsyncClient) -> httpx.AsyncClient:
    await api.post("/add", json=[MILK, MILK | {"barcode": "2"}])
    return api


def picture(answer: httpx.Response) -> Image.Image:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["cache-control"] == "no-store"
    return Image.open(io.BytesIO(answer.content))


async def test_a_product_is_seen_on_any_panel(api: httpx.AsyncClient):
    assert picture(await api.get("/api/v1/products/2/preview.png")).size == (296, 128)
    asked = {"panel": "400x300-BW", "template": "minimal"}
    assert picture(await api.get("/api/v1/products/2/preview.png", params=asked)).size == (400, 300)


async def test_a_barcode_may_hold_a_slash(api: httpx.AsyncClient):
    assert picture(await api.get("/api/v1/products/preview.png", params={"barcode": "A/1"})).size == (296, 128)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/products/3/preview.png", 404, "not_found"),
        ("/products/preview.png?barcode=A%2F2", 404, "not_found"),
        ("/products/2/preview.png?template=gone", 404, "not_found"),
        ("/products/preview.png", 400, "validation_error"),
        ("/products/2/preview.png?panel=large", 400, "validation_error"),
        ("/products/2/preview.png?panel=9999x9999-BW", 400, "validation_error"),
        ("/products/2/preview.png?template=" + "x" * 65, 400, "validation_error"),
        ("/displays/SIM9/preview.png", 404, "not_found"),
        ("/displays/SIM9/preview.png?face=other", 400, "validation_error"),
    ],
)
async def test_what_is_not_there_or_not_asked_well_is_refused(
    api: httpx.AsyncClient, path: str, status: int, code: str
):
    answer = await api.get("/api/v1" + path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_previews_are_under_the_prefix_alone(api: httpx.AsyncClient):
    assert (await api.get("/products/2/preview.png")).status_code == 404
