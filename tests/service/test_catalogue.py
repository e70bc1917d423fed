"""Lists of products are walked by cursor while products come, go and are renamed; and are found by their indexes."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from service import feed
from service.auditing import by
from service.context import Shelfcast, opened
from service.messages import Window
from service.messages.products import BY_BARCODE
from service.products import catalogue, editing
from service.products.catalogue import Named
from service.products.editing import Editor
from service.settings import Settings
from service.store.catalogue import Sort, Wanted
from service.tenants import stores, tokens
from service.tenants.tokens import Caller
from tests.shop import authenticate, raw

SORTS: tuple[Sort, ...] = ("name", "-name", "barcode", "-barcode")
names = st.text("abC", min_size=2, max_size=2)  # of one length: how databases sort others is their own affair
places = st.integers(0, 99)
steps = st.one_of(
    st.tuples(st.just("add"), places, names),
    st.tuples(st.just("rename"), places, names),
    st.tuples(st.just("archive"), places, names),
    st.tuples(st.just("restore"), places, names),
)
walks = st.lists(st.lists(steps, max_size=3), max_size=8)
_numbers = itertools.count()


class Walked:
    """A store whose list is walked, and what was done to its products meanwhile."""

    def __init__(self, ctx: Shelfcast, caller: Caller) -> None:
        self.ctx = ctx
        self.caller = caller
        self.shop = catalogue.shop_of(caller)
        self.names: dict[str, str] = {}
        self.touched: set[str] = set()

    @classmethod
    async def of(cls, ctx: Shelfcast, start: list[str]) -> "Walked":
        slug = f"walked-{next(_numbers)}"
        await stores.create_store(ctx, stores.NewStore(slug=slug))
        walked = cls(ctx, await authenticate(ctx, (await tokens.issue(ctx, slug, "pos")).token))
        await walked._save({f"{50 + number}": name for number, name in enumerate(start)})
        walked.touched.clear()
        return walked

    async def do(self, what: str, place: int, name: str) -> None:
        barcode = f"{place:02}"
        known = barcode in self.names
        if what == "add" or (what == "rename" and known):
            await self._save({barcode: name})
        elif known:
            change = {"archive": editing.archive, "restore": editing.restore}[what]
            await change(self.ctx, Editor(self.shop, by(self.caller)), Named(BY_BARCODE, barcode))
            self.touched.add(barcode)

    async def _save(self, products: dict[str, str]) -> None:
        rows = [raw({"barcode": barcode, "name": name, "price": 1}) for barcode, name in products.items()]
        if rows:
            await feed.change(self.ctx, self.caller, "whole", rows)
        self.names |= products
        self.touched |= products.keys()

    async def walk(self, sort: Sort, size: int, wanted: Wanted, between: Iterator[list[Any]]) -> list[str]:
        found, cursor = list[str](), None
        while True:
            page = await catalogue.listed(self.ctx, self.shop, wanted, sort, Window(per_page=size, cursor=cursor))
            assert len(page.data) <= size
            found += [one.barcode for one in page.data]
            cursor = page.meta.next
            if cursor is None:
                return found
            for step in next(between, []):
                await self.do(*step)

    def stayed(self, sort: Sort) -> list[str]:
        """Those that were there all along under one name, in the order that was asked for."""
        kept = [barcode for barcode in self.names if barcode not in self.touched]
        key = (lambda b: (self.names[b].casefold(), b)) if "name" in sort else str
        return sorted(kept, key=key, reverse=sort.startswith("-"))


def test_a_walk_by_cursor_neither_skips_nor_repeats_what_was_there_all_along(settings: Settings):
    with asyncio.Runner() as runner:
        entered = opened(settings)
        ctx = runner.run(entered.__aenter__())

        @hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(
            st.lists(names, max_size=12), walks, st.sampled_from(SORTS), st.integers(1, 4), st.sampled_from(["", "a"])
        )
        def walk(start: list[str], between: list[list[Any]], sort: Sort, size: int, word: str) -> None:
            async def work() -> None:
                walked = await Walked.of(ctx, start)
                wanted = Wanted(needles=(word,) if word else ())
                found = await walked.walk(sort, size, wanted, iter(between))
                stayed = [barcode for barcode in walked.stayed(sort) if word in walked.names[barcode]]
                assert [barcode for barcode in found if barcode in stayed] == stayed

            runner.run(work())

        try:
            walk()
        finally:
            runner.run(entered.__aexit__(None, None, None))


async def test_page_numbers_and_cursors_come_to_the_same(ctx: Shelfcast):
    walked = await Walked.of(ctx, ["ab", "Ca", "bb", "aa", "cc", "ba", "ac"])
    for sort in SORTS:
        whole = await walked.walk(sort, 2, Wanted(), iter([]))
        pages = [await catalogue.listed(ctx, walked.shop, Wanted(), sort, Window(page, 2)) for page in range(1, 5)]
        assert [one.barcode for page in pages for one in page.data] == whole
        assert {page.meta.total for page in pages} == {7}


@pytest.mark.parametrize("archived", [False, True])
async def test_a_category_is_listed_by_name_and_by_barcode(ctx: Shelfcast, archived: bool):
    walked = await Walked.of(ctx, ["bb", "aa", "cc"])
    rows = [raw({"barcode": barcode, "category": "C"}) for barcode in ("50", "51")]
    await feed.change(ctx, walked.caller, "patch", rows)
    if archived:
        for place in (50, 51, 52):
            await walked.do("archive", place, "")
    wanted = Wanted(archived=archived, category="C")
    assert await walked.walk("name", 1, wanted, iter([])) == ["51", "50"]
    assert await walked.walk("-barcode", 1, wanted, iter([])) == ["51", "50"]


async def test_a_long_name_has_a_cursor_too(ctx: Shelfcast):
    walked = await Walked.of(ctx, ["\U0001d538" * 255, "\U0001d539" * 255, "ß" * 255])
    assert await walked.walk("name", 1, Wanted(), iter([])) == ["52", "50", "51"]
