"""Webhooks at a shell: of stores and organisations, and the operator's own."""

import json
from collections.abc import Callable

import click

from service.cli.console import notes, results, table
from service.cli.displays import me
from service.cli.work import run
from service.context import Shelfcast
from service.core.happenings import SUBSCRIBABLE
from service.messages import Window
from service.messages.webhooks import Kind, NewWebhook, State, WebhookChange, WebhookSecret
from service.webhooks import deliveries, webhooks
from service.webhooks.webhooks import Side

_STATES = ("pending", "delivered", "failed")
_KINDS = click.Choice(list(map(str, SUBSCRIBABLE)))


def _operator() -> Side:
    return Side(None, None, me())


@click.group()
def webhook() -> None:
    """Webhooks, by which others are told of what happens."""


@webhook.command("add")
@click.argument("url")
@click.option("--store", help="Slug of the store whose events it is told of.")
@click.option("--organisation", help="Slug of the organisation of whose stores it is told.")
@click.option("--operator", is_flag=True, help="Your own: told when any store asks for a production token.")
@click.option("--kind", "kinds", multiple=True, type=_KINDS, help="Of which events; several times for several.")
@click.option("--description", help="What it is for.")
def add(
    url: str,
    store: str | None,
    organisation: str | None,
    operator: bool,
    kinds: tuple[Kind, ...],
    description: str | None,
) -> None:
    """Make a webhook and print its secret alone on standard output. It is shown this once."""
    if [bool(store), bool(organisation), operator].count(True) != 1:
        raise click.UsageError("Say whose it is: one of --store, --organisation and --operator.")
    if operator and kinds:
        raise click.UsageError("The operator's own is told of requests for production alone; leave --kind out.")

    async def work(ctx: Shelfcast) -> WebhookSecret:
        side = await webhooks.side_of_slug(ctx, me(), store=store, organisation=organisation)
        wanted = NewWebhook(url=url, kinds=list(kinds) or None, description=description)
        return await webhooks.create(ctx, side, wanted)

    made = run(work)
    notes.print(f"Webhook {made.id} is made. Keep its secret: it is not shown again.")
    notes.print(f"Next: shelfcast webhook test {made.id}")
    click.echo(made.secret)


@webhook.command("list")
def listing() -> None:
    """All webhooks."""
    grid = table("id", "whose", "URL", "kinds", "state", "made")
    for whose, found in run(webhooks.everywhere):
        failing = f"failing since {found.failing_since[:19]}Z" if found.failing_since else "enabled"
        state = failing if found.enabled else f"disabled: {found.disabled_reason}"
        kinds = ", ".join(found.kinds) if found.kinds else "all"
        grid.add_row(found.id, whose, found.url, kinds, state, found.created_at[:10])
    results.print(grid)


@webhook.command("test")
@click.argument("webhook_id", metavar="ID")
def test(webhook_id: str) -> None:
    """Post a test to it now and say what came of it; exit code 1 if it was not taken."""
    came = run(lambda ctx: webhooks.test(ctx, _operator(), webhook_id))
    if came.delivered:
        notes.print(f"Delivered in {came.milliseconds} ms: the receiver answered {came.status}.")
        return
    notes.print(f"Not delivered. {came.error}")
    if came.answer:
        notes.print(f"It said: {came.answer}")
    raise click.exceptions.Exit(1)


@webhook.command("rotate")
@click.argument("webhook_id", metavar="ID")
def rotate(webhook_id: str) -> None:
    """Give it a new secret and print it alone on standard output; the old one signs too for a while."""
    made = run(lambda ctx: webhooks.rotate(ctx, _operator(), webhook_id))
    notes.print(f"Both secrets sign until {made.old_secret_until}. Keep the new one: it is not shown again.")
    click.echo(made.secret)


def _switch(name: str, doc: str, *, enabled: bool) -> Callable[[str], None]:
    @webhook.command(name, help=doc)
    @click.argument("webhook_id", metavar="ID")
    def switch(webhook_id: str) -> None:
        changed = run(lambda ctx: webhooks.change(ctx, _operator(), webhook_id, WebhookChange(enabled=enabled)))
        notes.print(f"Webhook {changed.id} ({changed.url}) is {'enabled' if enabled else 'disabled'}.")

    return switch


enable = _switch("enable", "Post to it again, what is pending too.", enabled=True)
disable = _switch("disable", "Post nothing to it until it is enabled.", enabled=False)


@webhook.command("remove")
@click.argument("webhook_id", metavar="ID")
def remove(webhook_id: str) -> None:
    """Remove it; nothing more is posted to it."""
    gone = run(lambda ctx: webhooks.remove(ctx, _operator(), webhook_id))
    notes.print(f"Webhook {gone.id} ({gone.url}) is removed.")


@webhook.command("deliveries")
@click.argument("webhook_id", metavar="ID")
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--kind", type=_KINDS, help="Only events of this kind.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def listed(webhook_id: str, state: State | None, kind: Kind | None, limit: int) -> None:
    """What was posted to it, the newest first."""
    window = Window(per_page=limit)
    page = run(lambda ctx: deliveries.of_webhook(ctx, _operator(), webhook_id, state, kind, window))
    grid = table("id", "event", "kind", "store", "state", "attempts", "answer", "made", "next")
    for one in page.data:
        said = str(one.status or "-") if one.error is None else one.error
        due = (one.next_attempt_at or "-")[:19]
        grid.add_row(
            one.id, one.event_id, one.kind, one.store, one.state, str(one.attempts), said, one.created_at[:19], due
        )
    results.print(grid)


@webhook.command("delivery")
@click.argument("delivery_id", metavar="ID")
def delivery(delivery_id: str) -> None:
    """One delivery: its body and every attempt, as JSON."""
    found = run(lambda ctx: deliveries.get(ctx, _operator(), delivery_id))
    attempts = [
        {"at": each.at, "status": each.status, "error": each.error, "answer": each.answer} for each in found.log
    ]
    click.echo(json.dumps({"body": json.loads(found.body), "attempts": attempts}, indent=2, ensure_ascii=False))


@webhook.command("redeliver")
@click.argument("delivery_id", metavar="ID")
def redeliver(delivery_id: str) -> None:
    """Post the same event once more; a running worker does so within a second."""
    made = run(lambda ctx: deliveries.redeliver(ctx, _operator(), delivery_id))
    notes.print(f"Delivery {made.id} of event {made.event_id} will be posted.")
