"""Claimed updates handed to a driver: drawn in a thread, in the portions it allows, with an outcome for each of them.

Nothing here reads or writes the database, and nothing that a driver does gets any further than this.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from display_drivers.base import Data, Driver, Frame, Outcome, Update
from display_drivers.errors import DriverError, FrameRefusedError, TransientError, UnreachableError
from service.core.faces import to_content
from service.core.template_file import TemplateError
from service.rendering import FrameCache
from service.rendering.images import ImageError
from service.sending import At, Claimed

_AT_A_STRETCH = 8
"""Faces drawn before others have a turn, some 4 ms. In threads, which take Python's lock from each other and from the
loop at every stroke, the same faces cost half as much again."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Line:
    """An open line to one gateway: whose it is, who serves it, its driver, and the frames drawn for it."""

    at: At
    driver: Driver
    frames: FrameCache


async def push(line: Line, claimed: Sequence[Claimed]) -> dict[str, Outcome]:
    """Draw and push, in the driver's portions and no more of them at once than it allows."""
    info = line.driver.info
    turn = asyncio.Semaphore(info.max_in_flight)

    async def portion(some: Sequence[Claimed]) -> list[Outcome]:
        ready, refused = await _drawn(line, some)
        async with turn:
            return refused + (await _answered(line.driver, ready) if ready else [])

    portions = [claimed[start : start + info.max_batch] for start in range(0, len(claimed), info.max_batch)]
    answers = await asyncio.gather(*(portion(some) for some in portions))
    return {outcome.token: outcome for answer in answers for outcome in answer}


async def _drawn(line: Line, claimed: Sequence[Claimed]) -> tuple[list[Update], list[Outcome]]:
    """What can be sent; a face that cannot be drawn is refused by itself, and its display keeps what it shows."""
    ready: list[Update] = []
    refused: list[Outcome] = []
    for number, one in enumerate(claimed):
        if number % _AT_A_STRETCH == 0:
            await asyncio.sleep(0)
        try:
            ready.append(Update(one.id, one.address, one.revision, face(line, one), one.again))
        except (TemplateError, ImageError) as error:
            refused.append(Outcome(one.id, FrameRefusedError(f"The template cannot be used: {error}")))
        except Exception as error:
            log.exception("face_not_drawn", digest=one.digest)
            refused.append(Outcome(one.id, FrameRefusedError(f"The face cannot be drawn: {error!r}.")))
    return ready, refused


def face(line: Line, one: Claimed) -> Frame | Data:
    """A claimed update's face as the driver takes it."""
    wanted = one.face
    if line.driver.info.takes == "data":
        return Data(wanted.panel, to_content(wanted))
    if isinstance(one.template, TemplateError):
        raise one.template
    return line.frames.frame(one.digest, wanted, one.template)


async def _answered(driver: Driver, ready: Sequence[Update]) -> list[Outcome]:
    """An outcome for each update, whatever the driver does."""
    try:
        outcomes = await asyncio.wait_for(driver.push(ready), driver.info.send_timeout)
    except TimeoutError:
        return _all(ready, UnreachableError(f"No answer to a push within {driver.info.send_timeout:g} s."))
    except DriverError as error:
        return _all(ready, error)
    except Exception:
        log.exception("driver_broke_its_contract", driver=driver.info.name)
        return _all(ready, TransientError("The driver failed in a way it should not; see the log."))
    answered = {outcome.token: outcome for outcome in outcomes}
    silence = TransientError("The driver did not say what became of this update.")
    return [answered.get(update.token, Outcome(update.token, silence)) for update in ready]


def _all(ready: Sequence[Update], error: DriverError) -> list[Outcome]:
    return [Outcome(update.token, error) for update in ready]
