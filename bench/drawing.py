"""(h) Labels drawn: against the open renderer that people have, on every core, and the digest of a face."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec

from bench.harness import SQLITE, Figure, Goal, Sizes, middle, ratios
from bench.places import Place
from bench.products import Rows, real_rows
from display_drivers.base import Panel
from service.core.faces import Face, digest, plan_face
from service.core.product import Product, StoreFacts
from service.core.templates import Bundle, Template
from service.rendering import render
from service.rendering.shipped import shipped, text
from service.rendering.wording import price_text, written

FASTER = Goal(4, at_least=True)
CORES = Goal(0.75, at_least=True)
DIGEST = Goal(10)

_AGAINST = "labels / odl-renderer and epaper-dithering"
PEER = Path(sys.prefix) / "peer" / "bin" / "python"

_LABELS = 300
_PANEL = Panel(296, 128, "BWR")
_STORE = StoreFacts("EUR", "Europe/Zagreb", "hr")
_NOW = 1_787_400_000_000


@cache
def template() -> Template:
    """The shipped label of a sale without its bars, which the other renderer has none of."""
    parts = (text("sale") or "").split("\n\n")
    return Template(Bundle("sale", {"sale": "\n\n".join(part for part in parts if "[area.barcode" not in part)}))


def faces(drawn_from: Template, rows: Rows) -> list[Face]:
    """Of rows of a feed, as a sale: each with its own name and prices."""
    found = []
    for number, row in enumerate(rows):
        price = 20_000 + 137 * number
        product = Product(
            "3850123456782",
            name=row["name"],
            price=price,
            sale_price=price * 3 // 4,
            net_content="300",
            net_content_unit="g",
        )
        face = plan_face({0: product}, _PANEL, drawn_from, _STORE, _NOW)
        if face is None:
            raise RuntimeError("There is a product, so there is a face.")
        found.append(face)
    return found


async def measure(place: Place, sizes: Sizes) -> list[Figure]:
    """No database has a part in it, so it is measured beside one of them only."""
    if place.database != SQLITE:
        return []
    kind, rows = _named_rows(_LABELS * (sizes.runs + 1))
    ours, first, theirs, with_bars, digests = [], [], [], [], []
    _cpu(lambda: _draw(faces(template(), rows[:_LABELS]), template()))  # the fonts, as a worker has them
    for run in range(sizes.runs):
        some = faces(template(), rows[_LABELS * (run + 1) :][:_LABELS])
        whole = faces(shipped("sale"), rows[_LABELS * (run + 1) :][:_LABELS])
        first.append(len(some) / _cpu(lambda some=some: _draw(some, template())))
        ours.append(len(some) / _cpu(lambda some=some: _draw(some, template())))
        theirs.append(len(some) / await asyncio.to_thread(_theirs, some))
        with_bars.append(_cpu(lambda whole=whole: _draw(whole, shipped("sale"))) / len(whole) * 1000)
        digests.append(_cpu(lambda some=some: [digest(face) for face in some]) / len(some) * 1e6)
    together = await asyncio.get_running_loop().run_in_executor(None, _on_every_core, sizes.runs)
    against = f"against {middle(theirs)} of theirs a second; names of {kind}"
    bars = f"; with bars {middle(with_bars)} ms"
    return [
        Figure(f"(h) {_AGAINST}, a core", SQLITE, ratios(ours, theirs), "x", FASTER, f"{middle(ours)} {against}{bars}"),
        Figure(f"(h) {_AGAINST}, names new", SQLITE, ratios(first, theirs), "x", FASTER, f"{middle(first)} {against}"),
        Figure("(h) labels of all cores / cores times one's", SQLITE, together, "x", CORES, f"{os.cpu_count()} cores"),
        Figure("(h) digest of a face", SQLITE, digests, "µs", DIGEST, f"{_LABELS} faces a run"),
    ]


def _named_rows(count: int) -> tuple[str, Rows]:
    """The demo feed has rows that are wrong on purpose."""
    kind, rows = real_rows(2 * count)
    return kind, [row for row in rows if row.get("name")][:count]


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _draw(some: list[Face], drawn_from: Template) -> None:
    for face in some:
        render(face, drawn_from)


def _theirs(some: list[Face]) -> float:
    """Seconds of CPU for the same labels of theirs, in an environment of their own: `make` sets it up."""
    wanted = {"width": _PANEL.width, "height": _PANEL.height, "labels": [_elements(face) for face in some]}
    done = subprocess.run(
        [PEER, "-P", Path(__file__).with_name("peer.py")],
        input=msgspec.json.encode(wanted),
        capture_output=True,
        check=True,
    )
    return float(done.stdout)


def _elements(face: Face) -> list[dict[str, Any]]:
    """The same content at about the same places and sizes."""
    slot = face.slots[0]
    if slot is None or slot.price is None:
        raise RuntimeError("Every product of this benchmark has a price.")
    price = price_text(slot.price, "EUR", "hr")
    regular, unit_price, saving = (written(field, slot, "hr") for field in ("regular", "unit_price", "saving"))
    return [
        {"type": "text", "x": 6, "y": 4, "value": slot.name, "size": 19, "max_width": 284},
        {
            "type": "rectangle",
            "x_start": 148,
            "y_start": 46,
            "x_end": 295,
            "y_end": 127,
            "fill": "red",
            "outline": "red",
        },
        {"type": "text", "x": 190, "y": 50, "value": price.whole + price.separator, "size": 52, "color": "white"},
        {"type": "text", "x": 236, "y": 52, "value": price.cents, "size": 26, "color": "white"},
        {"type": "text", "x": 238, "y": 84, "value": price.symbol, "size": 16, "color": "white"},
        {"type": "text", "x": 160, "y": 106, "value": f"-{saving}", "size": 17, "color": "white"},
        {"type": "text", "x": 6, "y": 49, "value": regular, "size": 12},
        {"type": "line", "x_start": 6, "x_end": 46, "y_start": 56, "y_end": 56},
        {"type": "text", "x": 6, "y": 63, "value": f"{unit_price} / kg", "size": 12},
    ]


def _on_every_core(runs: int) -> list[float]:
    """What all cores draw in a second by the wall, each a process as workers are, in shares of what one alone does."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        list(pool.map(_labels_a_second, range(cores)))
        found = []
        for _ in range(runs):
            (alone,) = pool.map(_labels_a_second, range(1))
            found.append(sum(pool.map(_labels_a_second, range(cores))) / cores / alone)
    return found


def _labels_a_second(_number: int) -> float:
    some, turns = faces(template(), _named_rows(_LABELS)[1]), 4
    start = time.perf_counter()
    for _ in range(turns):
        _draw(some, template())
    return turns * len(some) / (time.perf_counter() - start)
