"""What the API takes about gateways."""

from typing import Annotated

import msgspec
from msgspec import Meta

from service.api.requests import ListQuery
from service.gateways.gateway_setup import Changes, New
from service.messages.gateways import GatewayState
from service.settings import Settings

Name = Annotated[
    str,
    Meta(min_length=1, max_length=64, description="Printable characters; unique in the store.", examples=["ap-1"]),
]
Key = Annotated[str, Meta(pattern="^[A-Za-z0-9_.-]{1,64}$")]
Value = Annotated[str, Meta(max_length=4096, pattern=r"^(?![\s\S]*[\u0000-\u001f\u007f])")]
Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"^(?![\s\S]*[\u0000-\u001f\u007f])(?=[\s\S]*\S)",
        description="What is done, for whoever asks why labels wait; without control characters.",
        examples=["New firmware"],
    ),
]
Check = Annotated[bool, Meta(description="false: save it without opening it.")]


class GatewaysQuery(ListQuery):
    """Which gateways."""

    state: Annotated[GatewayState, Meta(description="Only gateways in this state.")] | None = None


class NewGateway(msgspec.Struct):
    """A gateway to be added."""

    name: Name
    driver: Annotated[
        str, Meta(pattern="^[A-Za-z0-9_.-]{1,64}$", description="Hardware family.", examples=["gateway", "simulator"])
    ]
    config: Annotated[dict[Key, Value], Meta(description="Settings of the driver; docs/drivers has them.")]
    check: Check = True

    def new(self, settings: Settings) -> New:
        networks = settings.gateway_networks
        return New(name=self.name, driver=self.driver, config=self.config, check=self.check, networks=networks)


class ChangedGateway(msgspec.Struct):
    """What is to be otherwise about a gateway."""

    name: Name | None = None
    config: Annotated[
        dict[Key, Value | None],
        Meta(description="Settings to change; null takes one away, and a secret sent back as `…` stays."),
    ] = {}
    check: Check = True

    def changes(self, settings: Settings) -> Changes:
        networks = settings.gateway_networks
        return Changes(name=self.name, config=self.config, check=self.check, networks=networks)


class MaintenanceWork(msgspec.Struct):
    """Why somebody works on a gateway."""

    reason: Reason


new_gateway = msgspec.json.Decoder(NewGateway)
changed_gateway = msgspec.json.Decoder(ChangedGateway)
maintenance = msgspec.json.Decoder(MaintenanceWork)
