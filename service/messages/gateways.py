"""What the API answers about gateways."""

from typing import Annotated, Literal

from msgspec import Meta

from service.messages import Message, ProofWord, Time, Ulid

GatewayState = Annotated[
    Literal["ok", "unreachable", "maintenance", "retired"],
    Meta(description="unreachable: it does not answer; maintenance: somebody works on it, and its updates wait."),
]


class Maintenance(Message, frozen=True, kw_only=True):
    """That somebody works on a gateway."""

    since: Time
    by: str
    reason: str


class Gateway(Message, frozen=True, kw_only=True):
    """A gateway and whether it answers. Secrets in `config` are shown as `…`."""

    id: Ulid
    name: str
    driver: str
    config: dict[str, str]
    state: GatewayState
    error: Annotated[str | None, Meta(description="Why it does not answer, in the driver's words.")]
    unreachable_since: Time | None
    reached_at: Annotated[Time | None, Meta(description="When it answered last.")]
    maintenance: Maintenance | None
    created_at: Time
    retired_at: Time | None


class GatewayDisplays(Message, frozen=True, kw_only=True):
    """Displays on a gateway: `wrong` are not proven to show what they should; of these, `unconfirmed` were sent it."""

    total: int
    wrong: int
    unconfirmed: int


class GatewayUpdates(Message, frozen=True, kw_only=True):
    """Updates that are `waiting` to be sent, and pushes `inFlight` at this moment."""

    waiting: int
    in_flight: int


class Hardware(Message, frozen=True, kw_only=True):
    """What the driver states of the hardware, as of the last time that it was opened. Times in seconds."""

    takes: Literal["frame", "data"]
    proof: Annotated[ProofWord, Meta(description="The most that its reports can prove.")]
    max_batch: Annotated[int, Meta(description="Most updates in one push.")]
    max_in_flight: Annotated[int, Meta(description="Most pushes at once.")]
    send_timeout: float
    reports_within: Annotated[float, Meta(description="From an accepted push to its proof, on a good day.")]
    carries_id: bool
    max_displays: Annotated[int | None, Meta(description="Most displays; null: it does not say.")]


class Capacity(Message, frozen=True, kw_only=True):
    """How much of the hardware is used."""

    displays: int
    max_displays: int | None
    percent: Annotated[float | None, Meta(description="Displays of the most that there may be.")]
    pushes_per_minute: Annotated[float, Meta(description="Updates that were handed over in the last hour, a minute.")]


class GatewayStatus(Gateway, frozen=True, kw_only=True):
    """A gateway with what is on it."""

    displays: GatewayDisplays
    updates: GatewayUpdates
    hardware: Annotated[Hardware | None, Meta(description="null: it was never opened.")]
    capacity: Capacity
