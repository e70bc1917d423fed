"""`shelfcast`: the command line.

Each group is a module that is imported when it is asked for, so that every command, and each process that `serve`
starts, loads only what it needs.
"""

from importlib import import_module, metadata

import click

COMMANDS = {
    "serve": ("service.cli.run:serve", "Run API, workers and, if no Redis is set, the embedded Valkey."),
    "api": ("service.cli.run:api", "Run the API alone."),
    "worker": ("service.cli.run:worker", "Run one worker alone."),
    "migrate": ("service.cli.run:migrate", "Bring the database to this version."),
    "organisation": ("service.cli.stores:organisation", "Chains: create, list."),
    "store": ("service.cli.stores:store", "Stores: create, list, guards; simulated displays for a sandbox."),
    "token": ("service.cli.tokens:token", "Tokens of stores and chains: create, list, rotate, revoke."),
    "production": ("service.cli.production:production", "From sandbox to production: list, grant, refuse."),
    "product": ("service.cli.products:product", "Products of a store: list, show, archive, restore, export."),
    "gateway": ("service.cli.gateways:gateway", "Gateways of a store: add, list, show, change, retire, maintenance."),
    "display": ("service.cli.displays:display", "Displays of a store: import, bind."),
    "displays": ("service.cli.displays:displays", "Show displays, desired against shown; --wrong: only those."),
    "template": ("service.cli.templates:template", "Templates: list, add, use, lint, preview, sheet."),
    "preview": ("service.cli.previews:preview", "Draw the label of a product or of a display as a picture."),
    "batch": ("service.cli.batches:batch", "Batches: list, show, release, cancel, retry."),
    "audit": ("service.cli.keeping:audit", "Who changed what."),
    "key": ("service.cli.keeping:key", "A new key for secrets at rest."),
    "webhook": ("service.cli.webhooks:webhook", "Webhooks: add, test, list, rotate, and what was posted."),
    "push": ("service.cli.push:push", "Push a file of products through the feed API and wait for proof."),
    "status": ("service.cli.push:status", "Show one batch."),
    "drivers": ("service.cli.drivers:drivers", "Drivers: list, and check one on real hardware."),
    "simulate": ("service.cli.run:simulate", "Run a simulated store of displays."),
    "demo": ("service.cli.demo:demo", "Everything at once, on a simulated store."),
}
"""Name -> where the command is, and its line in the help, in the order of the help."""


class Commands(click.Group):
    """The table above as a click group."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("shelfcast"), prog_name="shelfcast")
def main() -> None:
    """Prices from a POS to every electronic shelf label, with proof, label by label.

    Settings come from the environment, SHELFCAST_DATA_DIR first of all; docs/operations.md has them all.
    """
