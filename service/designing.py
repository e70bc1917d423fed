"""What a store's designer does: adding templates, choosing which displays have them, and seeing what there is.

A template change is a face change: the displays that it concerns are planned anew (`redrawing`), and only those whose
face is another one are sent anything.
"""

from collections.abc import Collection

import msgspec

from service.context import Shelfcast
from service.core import choosing
from service.core.choosing import Choice, Rule
from service.core.panels import parse
from service.core.templates import MAX_BUNDLE, Template
from service.errors import ConflictError, NotFoundError, ValidationError
from service.rendering.shipped import names as shipped_names
from service.rendering.shipped import shipped
from service.store import displays, products, templates
from service.store.database import Connection
from service.templates import by_digest, row, usable
from service.tenants.stores import known_store


class Added(msgspec.Struct, frozen=True):
    """What became of a template that was to be added; `replaced` is the version before, if there was one."""

    name: str
    version: int
    replaced: int | None
    is_new: bool


async def add(ctx: Shelfcast, store: str, template: Template, by: str) -> Added:
    """Add a template to a store, or a newer version of one; displays that have it are drawn anew.

    Raises ValidationError for a shipped name or one too large, ConflictError for a version that is not higher though
    the files are others.
    """
    if template.name in shipped_names():
        raise ValidationError(f"{template.name} is a template that comes with Shelfcast; take another name.")
    if len(template.content) > MAX_BUNDLE:
        raise ValidationError(f"A template with its pictures has at most {MAX_BUNDLE:,} bytes; scale the pictures.")
    now = ctx.clock()

    async def work(connection: Connection) -> Added:
        owner = await known_store(connection, store)
        await products.lock_store(connection, owner.id)
        before = next(iter(await templates.newest(connection, owner.id, [template.name])), None)
        if before and before["digest"] == template.digest:
            return Added(template.name, template.version, template.version, is_new=False)
        if before and before["version"] >= template.version:
            raise ConflictError(
                f"Store {store} has version {before['version']} of {template.name} already, made of other files; "
                f"write version = {before['version'] + 1} in {template.name}.toml."
            )
        await templates.insert(connection, [row(owner.id, template, now, by)])
        if await _is_used(connection, owner.id, template.name):
            await templates.redraw(connection, owner.id)
        return Added(template.name, template.version, before["version"] if before else None, is_new=True)

    return await ctx.db.write(work)


async def _is_used(connection: Connection, store_id: int, name: str) -> bool:
    choice = choosing.decoded(await templates.choice(connection, store_id))
    return name in choice.names or name in await templates.used_by_displays(connection, store_id)


async def use(ctx: Shelfcast, store: str, rule: Rule) -> Choice:
    """Choose a template for some displays of a store, or for all; they are drawn anew.

    Raises NotFoundError where the store has no such template, ValidationError for what is no panel.
    """
    return await _choose(ctx, store, rule, remove=False)


async def clear(ctx: Shelfcast, store: str, rule: Rule) -> Choice:
    """Take back what was chosen for the displays of a rule, whatever its template."""
    return await _choose(ctx, store, rule, remove=True)


async def _choose(ctx: Shelfcast, store: str, rule: Rule, *, remove: bool) -> Choice:
    if rule.panel is not None:
        check_panel(rule.panel)

    async def work(connection: Connection) -> Choice:
        owner = await known_store(connection, store)
        before = choosing.decoded((await products.lock_store(connection, owner.id))["templates"])
        if not remove:
            await check_names(connection, owner.id, [rule.template])
        after = before.without(rule) if remove else before.changed(rule)
        await templates.choose(connection, owner.id, choosing.encoded(after))
        await templates.redraw(connection, owner.id)  # unchanged too: a template that ships may be another one now
        return after

    return await ctx.db.write(work)


async def use_for_display(ctx: Shelfcast, store: str, display: str, template: str | None) -> None:
    """Choose a template for one display, named by its address or id; None: as the store chose."""

    async def work(connection: Connection) -> None:
        owner = await known_store(connection, store)
        await products.lock_store(connection, owner.id)
        if template is not None:
            await check_names(connection, owner.id, [template])
        found = await displays.named(connection, owner.id, display)
        if not found:
            raise NotFoundError(f"The store has no display {display}.")
        rows = [{"store_id": owner.id, "id": one["id"], "template": template} for one in found]
        await displays.set_columns(connection, rows)
        await templates.redraw(connection, owner.id)

    await ctx.db.write(work)


def check_panel(panel: str) -> None:
    try:
        parse(panel)
    except ValueError as error:
        raise ValidationError(str(error), {"panel": "is no panel"}) from None


async def unknown_names(connection: Connection, store_id: int, names: Collection[str]) -> set[str]:
    """Which of these the store has no template of."""
    added = set(names) - set(shipped_names())
    if not added:
        return set()
    return added - {row["name"] for row in await templates.newest(connection, store_id, added)}


async def check_names(connection: Connection, store_id: int, names: Collection[str]) -> None:
    if unknown := await unknown_names(connection, store_id, names):
        ships = ", ".join(shipped_names())
        raise NotFoundError(
            f"The store has no template {min(unknown)}. These come with Shelfcast: {ships}; "
            "shelfcast template add adds your own."
        )


class Listed(msgspec.Struct, frozen=True):
    """A template that a store can choose, and where it does."""

    name: str
    version: int
    title: str
    added_at: int | None
    used: tuple[str, ...]


async def listed(ctx: Shelfcast, store: str) -> list[Listed]:
    async with ctx.db.read() as connection:
        owner = await known_store(connection, store)
        choice = choosing.decoded(await templates.choice(connection, owner.id))
        heads = [head for head in await templates.newest(connection, owner.id) if head["name"] not in shipped_names()]
        read = await by_digest(connection, owner.id, {head["digest"] for head in heads})
        own = await templates.used_by_displays(connection, owner.id)
    found = [_listed(shipped(name), None, choice, own) for name in shipped_names()]
    for head in heads:
        template = usable(head["name"], head["digest"], read[head["digest"]])
        found.append(_listed(template, head["created_at"], choice, own))
    return found


def _listed(template: Template, added_at: int | None, choice: Choice, own: dict[str, int]) -> Listed:
    used = ["default"] if choice.default == template.name else []
    used += [_of_rule(rule) for rule in choice.rules if rule.template == template.name]
    if count := own.get(template.name):
        used.append(f"{count} displays of their own")
    return Listed(template.name, template.version, template.file.title, added_at, tuple(used))


def _of_rule(rule: Rule) -> str:
    return " and ".join(filter(None, [rule.panel, f"category {rule.category}" if rule.category else None]))
