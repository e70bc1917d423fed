"""Limits beyond which a batch is held until somebody with the right releases or cancels it."""

import msgspec


class Guards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of one store.

    Attributes:
        archive_percent: Most products on sale, in percent, that one full batch may archive; 100 switches it off.
        archive_at_least: Products that may always be archived, since percents of a small store say little.
    """

    archive_percent: float = 30.0
    archive_at_least: int = 20


def objection(guards: Guards, archived: int, on_sale: int) -> str | None:
    """Why a full batch that would archive `archived` of `on_sale` products is held; None: it may go on.

    Real case: one chain's full file fell from 8,464 to 4,894 rows overnight.
    """
    if archived <= guards.archive_at_least or archived * 100 <= guards.archive_percent * on_sale:
        return None
    return (
        f"It would take {archived} of {on_sale} products off sale ({archived * 100 // on_sale} %); "
        f"the store's limit is {guards.archive_percent:g} %. Release it if that is right, else cancel it."
    )
