"""Whoever is at the shell, as the audit log names him."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.auditing import Who
from service.cli.displays import me
from service.context import Shelfcast
from service.tenants import stores

T = TypeVar("T")


def doing(slug: str, work: Callable[[Shelfcast, int, Who], Awaitable[T]]) -> Callable[[Shelfcast], Awaitable[T]]:
    """Something that is done to the store of this slug, on the word of whoever is at the shell."""

    async def do(ctx: Shelfcast) -> T:
        async with ctx.db.read() as connection:
            store = await stores.known_store(connection, slug)
        return await work(ctx, store.id, Who(store.organisation_id, store.id, me()))

    return do
