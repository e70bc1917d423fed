"""A store and its imports, without a process around them: files come in, and are read when a test says so."""

import gzip
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from service import feed, sync
from service.context import Shelfcast
from service.core.scopes import Scope
from service.ids import new_id
from service.importing import imports
from service.importing.file_reading import Reader
from service.importing.imports import Options, Part
from service.messages import Status, Window
from service.messages.imports import Import
from service.tenants import stores, tokens
from service.tenants.stores import NewStore
from service.tenants.tokens import Caller
from tests.shop import authenticate

HEADER = "barcode,name,price\n"


@dataclass
class Importer:
    ctx: Shelfcast
    caller: Caller

    async def ask(self, mode: Any = "merge", *, dry: bool = False, **options: Any) -> str:
        """A new import; its id."""
        return (await imports.start(self.ctx, self.caller, Options(**options), mode, "nightly", dry=dry)).id

    async def send(self, import_id: str, *pieces: bytes, part: Part | None = None) -> Import:
        size = sum(map(len, pieces))
        return await imports.receive(self.ctx, self.caller, import_id, part or Part(None, size, size), _stream(pieces))

    async def finalized(self, content: str | bytes, mode: Any = "merge", *, dry: bool = False, **options: Any) -> str:
        """A file that is there to be read; its import's id."""
        import_id = await self.ask(mode, dry=dry, **options)
        await self.send(import_id, content.encode() if isinstance(content, str) else content)
        await imports.finalize(self.ctx, self.caller, import_id, None)
        return import_id

    async def read(self, import_id: str) -> Import:
        """What a worker does with it."""
        await Reader(self.ctx, self.caller.store_id, import_id, new_id()).run()
        return await self.one(import_id)

    async def imported(self, content: str | bytes, mode: Any = "merge", *, dry: bool = False, **options: Any) -> Import:
        return await self.read(await self.finalized(content, mode, dry=dry, **options))

    async def one(self, import_id: str) -> Import:
        return await imports.one(self.ctx, self.caller, import_id)

    async def saved(self, session_id: str | None) -> Status:
        """The batch, once everything of it is saved."""
        assert session_id is not None
        while await sync.save_due(self.ctx, self.caller.store_id, new_id(), self.ctx.clock() + 60_000):
            pass
        return await feed.status(self.ctx, self.caller, session_id)

    async def errors(self, session_id: str | None) -> list[tuple[str, str | None, str]]:
        """(Code, field, detail) of every row of a batch that was refused."""
        assert session_id is not None
        page = await feed.errors(self.ctx, self.caller, session_id, Window(per_page=1000))
        return [(row.code, row.field, row.detail) for row in page.data]


async def importer(ctx: Shelfcast, slug: str = "one") -> Importer:
    await stores.create_store(ctx, NewStore(slug=slug))
    token = (await tokens.issue(ctx, slug, "files", scopes=[Scope.PRODUCTS_WRITE])).token
    return Importer(ctx, await authenticate(ctx, token))


def table(prices: Sequence[str], *, first: int = 0) -> str:
    """A file with a product for each of these prices."""
    return HEADER + "".join(_lines(prices, first))


def _lines(prices: Sequence[str], first: int) -> Iterator[str]:
    for number, price in enumerate(prices, first):
        yield f"{number:08},Product {number},{price}\n"


def packed(text: str) -> bytes:
    return gzip.compress(text.encode())


async def _stream(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
