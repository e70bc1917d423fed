"""What an operator does with batches."""

import getpass

import click

from service import guarding
from service.cli.console import notes
from service.cli.work import run


@click.group()
def batch() -> None:
    """Batches."""


@batch.command("release")
@click.argument("session")
@click.option("--store", required=True, help="Slug of the batch's store.")
def release(session: str, store: str) -> None:
    """Let a held batch be saved after all; SESSION is its sessionId. Who did so stays on record."""
    run(lambda ctx: guarding.release(ctx, store, session, getpass.getuser()))
    notes.print(f"Batch {session} is released and will be saved.")
