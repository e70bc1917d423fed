"""Templates in use: which one a display has, and what a face was drawn from.

What a face was drawn from is kept with the store, shipped templates too: a label can be drawn again as it was, whatever
this version ships. `designing` is how stores get theirs.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache

import msgspec

from service.core import choosing
from service.core.choosing import Choice
from service.core.template_file import Fault, TemplateError
from service.core.templates import Template, Unusable
from service.rendering.shipped import names as shipped_names
from service.rendering.shipped import shipped
from service.store import templates
from service.store.database import Connection, Record


class Chooser:
    """What the displays of a store are drawn from, as it is chosen at one moment."""

    def __init__(self, choice: Choice, added: dict[str, Template]) -> None:
        self._choice = choice
        self._added = added

    def of(self, panel: str, category: str | None, own: str | None) -> Template:
        return self.named(self._choice.of(panel, category, own))

    def named(self, name: str) -> Template:
        """Unusable if there is none of this name."""
        if name in shipped_names():
            return shipped(name)
        return self._added.get(name) or Unusable(name)


async def chooser(connection: Connection, store: Record, own: Iterable[str | None] = ()) -> Chooser:
    """For displays that have these templates of their own."""
    choice = choosing.decoded(store["templates"])
    wanted = {*choice.names, *(name for name in own if name is not None)} - set(shipped_names())
    if not wanted:
        return Chooser(choice, {})
    newest = {row["name"]: row["digest"] for row in await templates.newest(connection, store["id"], wanted)}
    read = await by_digest(connection, store["id"], newest.values())
    return Chooser(choice, {name: usable(name, digest, read[digest]) for name, digest in newest.items()})


def usable(name: str, digest: str, read: Template | TemplateError) -> Template:
    return Unusable(name, digest) if isinstance(read, TemplateError) else read


_read: dict[str, Template | TemplateError] = {}
"""By digest, which says all: read once in each process."""
_MOST_READ = 500


async def by_digest(
    connection: Connection, store_id: int, digests: Collection[str]
) -> dict[str, Template | TemplateError]:
    """What was kept under these digests, or why it cannot be used; only what this process has not read is asked for."""
    if len(_read) > _MOST_READ:
        _read.clear()
    found = {digest: _read[digest] for digest in digests if digest in _read}
    if missing := set(digests) - found.keys():
        for digest, content in (await templates.contents(connection, store_id, missing)).items():
            found[digest] = _read[digest] = _readable(content)
    lost = TemplateError([Fault("", 0, "", "The template that this face was planned with is not kept any more.")])
    return {digest: found.get(digest, lost) for digest in digests}


def _readable(content: str) -> Template | TemplateError:
    try:
        return Template.stored(content)
    except TemplateError as error:
        return error


class _Head(msgspec.Struct, rename="camel"):
    """What a face says of its template."""

    template: str
    template_version: int
    template_digest: str = ""


_decode_head = msgspec.json.Decoder(_Head).decode


async def of_faces(
    connection: Connection, store_id: int, contents: Collection[str]
) -> dict[str, Template | TemplateError]:
    """Content of a face -> what it is drawn from."""
    heads = {content: _head(content) for content in contents}
    read = await by_digest(connection, store_id, {head.template_digest for head in heads.values()} - {""})
    return {content: read.get(head.template_digest) or _named(head) for content, head in heads.items()}


def _head(content: str) -> _Head:
    """Nothing of a face that cannot be read: that is told by whoever draws it, and of its display alone."""
    try:
        return _decode_head(content)
    except msgspec.MsgspecError:
        return _Head("", 0)


def _named(head: _Head) -> Template | TemplateError:
    """For a face without a digest: of before templates were kept, or planned with a template that is not there."""
    if head.template_version and head.template in shipped_names():
        return shipped(head.template)
    return missing(head.template)


@lru_cache(maxsize=64)
def missing(name: str) -> TemplateError:
    return TemplateError(
        [Fault("", 0, "", f"The store has no template {name}. Add it, or choose another one: shelfcast template use.")]
    )


async def keep(connection: Connection, store_id: int, used: Iterable[Template], now: int) -> None:
    """Keep what faces are drawn from, with the store."""
    usable = {template.digest: template for template in used if not isinstance(template, Unusable)}
    for digest in await templates.known(connection, store_id, usable):
        del usable[digest]
    await templates.insert(connection, [row(store_id, template, now) for template in usable.values()])


def row(store_id: int, template: Template, now: int, by: str | None = None) -> dict[str, object]:
    return {
        "store_id": store_id,
        "digest": template.digest,
        "name": template.name,
        "version": template.version,
        "content": template.content.decode(),
        "added_by": by,
        "created_at": now,
    }
