"""Templates of stores: added, chosen, changed under displays that show something, and broken."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from service import designing, previews, sync
from service.context import Shelfcast
from service.core.choosing import Rule
from service.core.faces import encoded, from_content
from service.core.templates import Bundle, Template
from service.errors import ConflictError, NotFoundError, ValidationError
from service.rendering import png, render
from service.rendering.shipped import shipped
from service.shelves.shelf import display_states
from service.store import displays, tables
from service.templates import by_digest, of_faces
from tests.shop import Shop, milk, opened_shop

BARCODE = milk()["barcode"]
OTHER = {"barcode": "2", "name": "Wine", "price": 9, "category": "Wine"}
TEXT = """\
format = 1
version = {version}
[[shape]]
name = "any"
[area.name]
kind = "text"
text = "{{name}}{extra}"
box.any = [2, 2, 98, 40]
[area.price]
kind = "price"
box.any = [2, 40, 98, 98]
"""


def made(version: int = 1, extra: str = "", name: str = "own") -> Template:
    return Template(Bundle(name, {name: TEXT.format(version=version, extra=extra)}))


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    """Two displays that take frames and show two products."""
    async with opened_shop(ctx, displays=2, takes="frame") as shop:
        await shop.bind({"SIM000001": [BARCODE], "SIM000002": ["2"]})
        await shop.add(milk("1.29"), OTHER)
        await shop.work(2)
        yield shop


async def redraw(shop: Shop) -> None:
    """What a round of the reconciler and the workers do of it."""
    await sync.reconcile(shop.ctx)
    await shop.work(2)


async def drawn(shop: Shop, address: str = "SIM000001") -> tuple[str, int]:
    display = await shop.display(address)
    (face,) = [row for row in await shop.rows(tables.faces) if row["digest"] == display["shown_digest"]]
    assert display["shown_digest"] == display["desired_digest"]
    return face["template"], face["template_version"]


async def pushes(shop: Shop) -> int:
    return len(await shop.rows(tables.updates))


async def redrawn_to(shop: Shop) -> str | None:
    async with shop.ctx.db.read() as connection:
        found: str | None = (await connection.execute(select(tables.stores.c.redraw_after))).scalar_one()
        return found


async def add(shop: Shop, template: Template) -> designing.Added:
    return await designing.add(shop.ctx, "shop", template, "test")


async def use(shop: Shop, name: str, **where: str) -> None:
    await designing.use(shop.ctx, "shop", Rule(name, **where))


async def test_a_template_that_is_chosen_comes_to_every_display(shop: Shop) -> None:
    await add(shop, made())
    await use(shop, "own")
    await redraw(shop)
    assert [await drawn(shop, address) for address in ("SIM000001", "SIM000002")] == [("own", 1)] * 2
    picture = await previews.of_product(shop.ctx, shop.caller.store_id, BARCODE, "296x128-BWR")
    assert picture == await previews.of_display(shop.ctx, shop.caller.store_id, "SIM000001", "shown")


async def test_only_displays_that_look_otherwise_are_sent_anything(shop: Shop) -> None:
    await add(shop, made())
    before = await pushes(shop)
    await use(shop, "own", category="wine")
    await redraw(shop)
    assert (await drawn(shop), await drawn(shop, "SIM000002")) == (("price", 2), ("own", 1))
    assert await pushes(shop) == before + 1
    await use(shop, "own", category="wine")
    await redraw(shop)
    assert await pushes(shop) == before + 1


async def test_a_newer_version_is_drawn_and_an_older_one_refused(shop: Shop) -> None:
    await add(shop, made())
    await use(shop, "own")
    await redraw(shop)
    assert await add(shop, made(2, " new")) == designing.Added("own", 2, 1, is_new=True)
    await redraw(shop)
    assert await drawn(shop) == ("own", 2)
    assert not (await add(shop, made(2, " new"))).is_new
    for other in (made(2, " other"), made(1, " older")):
        with pytest.raises(ConflictError, match=r"version 2 of own already.*write version = 3"):
            await add(shop, other)


async def test_a_display_may_have_a_template_of_its_own(shop: Shop) -> None:
    await designing.use_for_display(shop.ctx, "shop", "SIM000001", "minimal")
    await redraw(shop)
    assert (await drawn(shop), await drawn(shop, "SIM000002")) == (("minimal", 1), ("price", 2))
    await designing.use_for_display(shop.ctx, "shop", "SIM000001", None)
    await redraw(shop)
    assert await drawn(shop) == ("price", 2)


async def test_what_was_chosen_is_taken_back(shop: Shop) -> None:
    await use(shop, "minimal", panel="296x128-BWR")
    await redraw(shop)
    assert await drawn(shop) == ("minimal", 1)
    await designing.clear(shop.ctx, "shop", Rule("", "296x128-BWR"))
    await redraw(shop)
    assert await drawn(shop) == ("price", 2)


async def test_to_choose_the_same_again_brings_a_later_version_that_ships(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = made(7, " later", name="price")
    monkeypatch.setattr("service.templates.shipped", lambda _name: newer)
    await redraw(shop)
    assert await drawn(shop) == ("price", 2)
    await use(shop, "price")
    await redraw(shop)
    assert await drawn(shop) == ("price", 7)


async def test_what_nobody_has_is_refused(shop: Shop) -> None:
    with pytest.raises(NotFoundError, match=r"no template gone. These come with Shelfcast: minimal, price"):
        await use(shop, "gone")
    with pytest.raises(NotFoundError, match="no display SIM9"):
        await designing.use_for_display(shop.ctx, "shop", "SIM9", "minimal")
    with pytest.raises(NotFoundError, match="no template gone"):
        await designing.use_for_display(shop.ctx, "shop", "SIM000001", "gone")
    with pytest.raises(ValidationError, match="is no panel"):
        await use(shop, "minimal", panel="large")
    with pytest.raises(ValidationError, match="comes with Shelfcast"):
        await add(shop, made(name="sale"))


async def test_a_store_never_sees_anothers_template(shop: Shop) -> None:
    from service.tenants import stores  # noqa: PLC0415 - only here

    await stores.create_store(shop.ctx, stores.NewStore(slug="other"))
    await add(shop, made())
    with pytest.raises(NotFoundError, match="no template own"):
        await designing.use(shop.ctx, "other", Rule("own"))
    assert [found.name for found in await designing.listed(shop.ctx, "other") if found.added_at] == []


async def test_the_list_says_what_ships_what_was_added_and_where_it_is_used(shop: Shop) -> None:
    await add(shop, made(3))
    await use(shop, "own", panel="296x128-BWR", category="Wine")
    await designing.use_for_display(shop.ctx, "shop", "SIM000001", "own")
    listed = {found.name: found for found in await designing.listed(shop.ctx, "shop")}
    assert listed["price"].used == ("default",)
    assert (listed["own"].version, listed["own"].used) == (
        3,
        ("296x128-BWR and category Wine", "1 displays of their own"),
    )


async def test_a_template_that_nobody_has_redraws_nothing_when_it_is_added(shop: Shop) -> None:
    await add(shop, made())
    assert await redrawn_to(shop) is None


async def test_redrawing_goes_on_where_it_was_killed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.redrawing._SOME", 1)
    monkeypatch.setattr("service.redrawing._MOST_TURNS", 1)
    await use(shop, "minimal")
    await sync.reconcile(shop.ctx)
    assert await redrawn_to(shop) == min(row["id"] for row in await shop.rows(tables.displays))
    for _ in range(3):
        await redraw(shop)
    assert await redrawn_to(shop) is None
    assert [await drawn(shop, address) for address in ("SIM000001", "SIM000002")] == [("minimal", 1)] * 2


async def spoil(shop: Shop, content: str) -> None:
    damage = tables.templates.update().where(tables.templates.c.name == "own").values(content=content)
    await shop.ctx.db.write(lambda connection: connection.execute(damage))


async def test_a_display_whose_template_breaks_keeps_its_face_and_says_why(shop: Shop) -> None:
    """Broken after it was added: a version of ours that reads it no more, or a hand in the database."""
    before = (await shop.glass())["SIM000001"]
    template = made(1, " broken")
    await add(shop, template)
    await spoil(shop, '{"name":"own","files":{"own":"format = 9"}}')
    await use(shop, "own", panel="296x128-BWR")
    await redraw(shop)
    assert (await shop.glass())["SIM000001"] == before
    reasons = [row for row in await shop.rows(tables.updates) if row["error"]]
    assert {row["error"] for row in reasons} == {"frame_refused"}
    assert "own.toml:1: Write format = 1 at the top" in reasons[0]["detail"]
    await shop.send()
    (state,) = [each async for each in display_states(shop.ctx, "shop", wrong=True) if each.address == "SIM000001"]
    assert "own.toml:1: Write format = 1" in (state.detail or "")
    await designing.clear(shop.ctx, "shop", Rule("", "296x128-BWR"))
    await redraw(shop)
    assert await drawn(shop) == ("price", 2)


async def test_a_display_with_a_template_that_is_not_there_says_so(shop: Shop) -> None:
    """As a display of an older version may have, which asked nobody."""
    before = (await shop.glass())["SIM000001"]
    display = await shop.display("SIM000001")
    lost = [{"store_id": display["store_id"], "id": display["id"], "template": "gone"}]
    await shop.ctx.db.write(displays.set_columns, lost)
    await shop.add(milk("1.49"))
    await shop.work(2)
    assert (await shop.glass())["SIM000001"] == before
    failed = {row["detail"] for row in await shop.rows(tables.updates) if row["error"]}
    assert [True for detail in failed if "The store has no template gone. Add it, or choose another" in detail] == [
        True
    ]
    await add(shop, made(name="gone"))
    await redraw(shop)
    assert await drawn(shop) == ("gone", 1)


async def test_what_was_shown_can_be_drawn_again_when_its_template_ships_no_more(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = await previews.of_display(shop.ctx, shop.caller.store_id, "SIM000001", "shown")
    monkeypatch.setattr("service.templates.shipped", lambda _name: made(9, " other"))
    monkeypatch.setattr("service.templates._read", {})
    assert await previews.of_display(shop.ctx, shop.caller.store_id, "SIM000001", "shown") == shown


async def test_faces_of_before_there_were_templates_are_drawn_as_they_were_meant(shop: Shop) -> None:
    display = await shop.display()
    (row,) = [row for row in await shop.rows(tables.faces) if row["digest"] == display["shown_digest"]]
    content: dict[str, Any] = msgspec.json.decode(row["content"])
    del content["templateDigest"]
    content["templateVersion"] = 1
    content["slots"][0] = {k: v for k, v in content["slots"][0].items() if k not in {"look", "areas", "more"}}
    old = msgspec.json.encode(content).decode()
    async with shop.ctx.db.read() as connection:
        found = (await of_faces(connection, 1, [old]))[old]
    assert found is shipped("price")
    assert png(render(from_content(content), shipped("price"))) == await previews.of_display(
        shop.ctx, shop.caller.store_id, "SIM000001", "shown"
    )
    assert b"templateDigest" not in encoded(from_content(content))


async def test_what_was_never_kept_is_an_error_that_says_so(shop: Shop) -> None:
    async with shop.ctx.db.read() as connection:
        found = await by_digest(connection, shop.caller.store_id, ["0" * 32])
    assert "not kept any more" in str(found["0" * 32])


@pytest.mark.parametrize("asked", [{"template": "gone"}, {"template": "x" * 64}])
async def test_a_preview_with_a_template_that_is_not_there_is_not_found(shop: Shop, asked: dict[str, str]) -> None:
    with pytest.raises(NotFoundError, match="no template"):
        await previews.of_product(shop.ctx, shop.caller.store_id, BARCODE, "296x128-BWR", **asked)


async def test_a_preview_of_another_template_is_of_that(shop: Shop) -> None:
    store = shop.caller.store_id
    one, other = [
        await previews.of_product(shop.ctx, store, BARCODE, "296x128-BWR", template) for template in (None, "minimal")
    ]
    assert one != other
    own = made(1, "!")
    assert await previews.of_product(shop.ctx, store, BARCODE, "296x128-BWR", own) not in {one, other}


async def test_a_preview_of_a_broken_template_says_why(shop: Shop) -> None:
    await add(shop, made(1, " spoilt"))
    await spoil(shop, "{}")
    await use(shop, "own")
    await sync.reconcile(shop.ctx)
    with pytest.raises(ConflictError, match="template cannot be used"):
        await previews.of_display(shop.ctx, shop.caller.store_id, "SIM000001", "desired")


async def test_a_panel_larger_than_any_label_is_refused(shop: Shop) -> None:
    with pytest.raises(ValidationError, match="At most"):
        await previews.of_product(shop.ctx, shop.caller.store_id, BARCODE, "9999x9999-BWR")
