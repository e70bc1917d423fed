"""What a simulated gateway can be told to do, well or badly; each can be changed while it runs."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from display_drivers.base import Panel, Takes
from display_drivers.gateway.wire import ProofWord

Chance = Annotated[float, Meta(ge=0, le=1)]
Duration = Annotated[float, Meta(ge=0, le=86_400)]
Reach = Literal["up", "closed", "unavailable", "silent"]
"""up; closed: hangs up on every request; unavailable: 503; silent: takes the request and never answers."""


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One gateway's. Durations are seconds of the simulated store: the time scale divides them.

    Attributes:
        takes: Frames or data.
        proof: What its reports prove. It never lies about that level; `drop` is how it lies about having accepted.
        max_batch: Most updates, and most addresses, in one request.
        max_in_flight: Most pushes at once; further ones are answered 429.
        send_timeout: As told to the driver, in real seconds.
        reports_within: As told to the driver, in real seconds; None: worked out from the durations below.
        max_displays: As told to the driver: most displays that it looks after; None: it does not say.
        check_in: Between two check-ins of a display; 0: it always listens.
        transfer: Radio time for a 296x128 panel of two inks; more pixels and more inks take longer in proportion. One
            transfer at a time.
        refresh: Of a panel with two inks.
        refresh_colour: Of a panel with more.
        answer: From a push's arrival to its answer.
        loss: Chance that a transfer fails; the gateway tries again at the display's next check-in.
        retries: Tries after the first, until the gateway gives the update up in silence.
        busy: Chance that an update is answered busy.
        busy_retry_after: Real seconds, told with busy.
        queue: Most updates held; further ones are answered busy. 0: no limit.
        drop: Chance that an accepted update is forgotten at once: a false acceptance.
        lost_answers: Chance that a push is applied and its answer lost: the connection is closed instead.
        reach: How the gateway answers at all.
        keeps_order: Whether it refuses a lower revision than it holds or shows, as the protocol demands. Without, the
            service alone is what keeps an older face from landing after a newer one.
        drain: Percent of the battery that a refresh takes.
        temperature: Degrees Celsius in the store; displays differ by a degree or two.
    """

    takes: Takes = "frame"
    proof: ProofWord = "displayed"
    max_batch: Annotated[int, Meta(ge=1, le=1000)] = 100
    max_in_flight: Annotated[int, Meta(ge=1, le=64)] = 1
    send_timeout: Annotated[float, Meta(gt=0, le=10)] = 10.0
    reports_within: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    max_displays: Annotated[int, Meta(ge=1)] | None = None
    check_in: Duration = 15.0
    transfer: Duration = 0.25
    refresh: Duration = 1.0
    refresh_colour: Duration = 12.0
    answer: Duration = 0.0
    loss: Chance = 0.0
    retries: Annotated[int, Meta(ge=0, le=1000)] = 3
    busy: Chance = 0.0
    busy_retry_after: Duration = 1.0
    queue: Annotated[int, Meta(ge=0)] = 0
    drop: Chance = 0.0
    lost_answers: Chance = 0.0
    reach: Reach = "up"
    keeps_order: bool = True
    drain: Annotated[float, Meta(ge=0, le=100)] = 0.002
    temperature: Annotated[int, Meta(ge=-40, le=85)] = 21

    def transfer_time(self, panel: Panel) -> float:
        """Seconds on air."""
        planes = 1 if len(panel.palette) == 2 else 2  # noqa: PLR2004 - two inks fit one bit
        return self.transfer * planes * panel.width * panel.height / (296 * 128)

    def refresh_time(self, panel: Panel) -> float:
        """Seconds from the last byte to the finished picture."""
        return self.refresh if len(panel.palette) == 2 else self.refresh_colour  # noqa: PLR2004


def changed(behaviour: Behaviour, changes: dict[str, object]) -> Behaviour:
    """With the fields that `changes` names, in camelCase, replaced; raises msgspec.ValidationError."""
    return msgspec.convert(msgspec.to_builtins(behaviour) | changes, Behaviour)
