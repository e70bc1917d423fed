"""What an operator does with batches, and with the guards that hold them."""

from collections.abc import Sequence

import click
import msgspec

from service.batches import batch_states, guarding, retrying
from service.cli.console import notes, results, table
from service.cli.shell import doing
from service.cli.work import run
from service.context import Shelfcast
from service.messages import Window
from service.messages.batches import Batch, BatchEntry, Guards
from service.store.batch_lists import Wanted
from service.tenants import stores

_STATUSES = ("open", "processing", "held", "completed", "cancelled", "expired", "failed")


@click.group()
def batch() -> None:
    """Batches."""


@batch.command("list")
@click.argument("store")
@click.option("--status", type=click.Choice(_STATUSES), help="Only batches in this status.")
@click.option("--reference", help="Only batches that their caller gave this name.")
@click.option("--last", default=20, show_default=True, type=click.IntRange(1, 1000), help="So many, the newest first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_batches(store: str, status: str | None, reference: str | None, last: int, *, as_json: bool) -> None:
    """A store's batches, the newest first."""
    found = run(lambda ctx: _listed(ctx, store, status, reference, last))
    if as_json:
        for one in found:
            click.echo(msgspec.json.encode(one))
        return
    grid = table("session", "started", "reference", "mode", "status", "products", "rejected", "displays", "confirmed")
    for one in found:
        counts = (one.products_received, one.products_rejected, one.tags_total, one.tags_confirmed)
        words = (one.session_id, one.started_at[:19], one.reference or "-", one.mode, _status(one))
        grid.add_row(*words, *(f"{count:,}" for count in counts))
    results.print(grid)


@batch.command("show")
@click.argument("session")
@click.option("--store", required=True, help="Slug of the batch's store.")
@click.option("--json", "as_json", is_flag=True, help="The same as the API says it.")
def show_batch(session: str, store: str, *, as_json: bool) -> None:
    """One batch: how it stands, what was refused of it, and what holds it."""
    found = run(lambda ctx: _one(ctx, store, session))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    grid = table("", "")
    for label, value in _facts(found):
        grid.add_row(label, value)
    results.print(grid)
    if found.hold:
        examples = table("barcode", "name", "price", "would be")
        for example in found.hold.examples:
            after = example.after or ("off sale" if found.hold.guard == "archive" else "-")
            examples.add_row(example.barcode, example.name, example.before or "-", after)
        results.print(examples)


@batch.command("release")
@click.argument("session")
@click.option("--store", required=True, help="Slug of the batch's store.")
def release(session: str, store: str) -> None:
    """Let a held batch be saved after all; SESSION is its sessionId. Who did so stays on record."""
    run(doing(store, lambda ctx, store_id, who: guarding.release(ctx, store_id, who, session)))
    notes.print(f"Batch {session} is released and will be saved.")


@batch.command("cancel")
@click.argument("session")
@click.option("--store", required=True, help="Slug of the batch's store.")
def cancel(session: str, store: str) -> None:
    """Let nothing of a held batch be saved. Who did so stays on record."""
    run(doing(store, lambda ctx, store_id, who: guarding.cancel(ctx, store_id, who, session)))
    notes.print(f"Batch {session} is cancelled; nothing of it was saved.")


@batch.command("retry")
@click.argument("session")
@click.option("--store", required=True, help="Slug of the batch's store.")
def retry(session: str, store: str) -> None:
    """Drive the displays of a batch again that are not confirmed, at once."""
    done = run(doing(store, lambda ctx, store_id, who: retrying.retry(ctx, store_id, who, session)))
    notes.print(
        f"{done.displays:,} displays of the batch are not confirmed: {done.retried:,} are driven again, "
        f"{done.under_way:,} were on their way."
    )


@click.command("guards")
@click.argument("slug", metavar="STORE")
@click.option("--archive-percent", type=click.FloatRange(0, 100), help="Of products on sale; 100: off.")
@click.option("--archive-at-least", type=click.IntRange(0, 10**6), help="So many may always go.")
@click.option("--price-percent", type=click.FloatRange(0, 100), help="Of products that the batch names; 100: off.")
@click.option("--price-change", type=click.FloatRange(0, 10**6), help="Percent of the price.")
@click.option("--price-at-least", type=click.IntRange(0, 10**6), help="Fewer may always change.")
def guards(slug: str, **limits: float | None) -> None:
    """Show, or change, the limits beyond which a batch of this store is held."""
    changes = {name: value for name, value in limits.items() if value is not None}
    if changes:
        found = run(doing(slug, lambda ctx, store_id, who: guarding.set_guards(ctx, store_id, who, changes)))
    else:
        found = run(lambda ctx: _guards(ctx, slug))
    for sentence in _sentences(found):
        results.print(sentence)


async def _listed(ctx: Shelfcast, slug: str, status: str | None, reference: str | None, last: int) -> list[BatchEntry]:
    store_id = await stores.store_id_of(ctx, slug)
    wanted = Wanted(ctx.clock(), status, reference)
    return (await batch_states.listed(ctx, store_id, wanted, Window(per_page=last))).data


async def _one(ctx: Shelfcast, slug: str, session: str) -> Batch:
    return await batch_states.one(ctx, await stores.store_id_of(ctx, slug), session)


async def _guards(ctx: Shelfcast, slug: str) -> Guards:
    return await guarding.guards(ctx, await stores.store_id_of(ctx, slug))


def _status(one: BatchEntry) -> str:
    return f"{one.status} ({one.guard})" if one.status == "held" else one.status


def _facts(one: Batch) -> Sequence[tuple[str, str]]:
    saved = f"{one.products_created:,} created, {one.products_updated:,} updated, {one.products_unchanged:,} unchanged"
    facts = [
        ("session", one.session_id),
        ("reference", one.reference or "-"),
        ("status", f"{_status(one)}, {one.progress} %"),
        ("reason", one.reason or "-"),
        ("started", one.started_at),
        ("products", f"{one.products_received:,} received, {saved}, {one.products_archived:,} archived"),
        ("displays", f"{one.tags_confirmed:,} of {one.tags_total:,} confirmed, {one.tags_failed:,} failed"),
    ]
    for refused in one.refusals:
        first = refused.example
        where = f"push {first.push}, row {first.index}, {first.barcode or 'no barcode'}"
        facts.append((f"refused: {refused.code}", f"{refused.rows:,} rows, as {where}: {first.detail}"))
    if one.released_by:
        facts.append(("released by", one.released_by))
    if one.cancelled_by:
        facts.append(("cancelled by", one.cancelled_by))
    return facts


def _sentences(found: Guards) -> Sequence[str]:
    archive = (
        f"A full batch may take {found.archive_percent:g} % of the products on sale off it, and always "
        f"{found.archive_at_least:,} of them."
    )
    price = (
        f"A batch may change the price of {found.price_percent:g} % of the products on sale that it names by more than "
        f"{found.price_change:g} %, and always of fewer than {found.price_at_least:,}."
    )
    off = 100
    return (
        "The guard over archiving is off." if found.archive_percent >= off else archive,
        "The guard over prices is off." if found.price_percent >= off else price,
    )
