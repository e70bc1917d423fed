"""One suite for every driver, judged by what displays show and never by what the driver says of itself.

It runs on a bench: a driver, a few displays to spare, and a way to look at their glass that does not go through the
driver: a simulator's control API, a camera, a person. Each check gets a driver of its own, opened and closed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import count

import msgspec

from display_drivers.base import (
    Blinks,
    Data,
    Discovers,
    Driver,
    Frame,
    Listens,
    Outcome,
    Panel,
    Proof,
    Renders,
    Report,
    Update,
)
from display_drivers.bench import Bench, CannotError, Face
from display_drivers.errors import BusyError, DriverError, FrameRefusedError, UnknownDisplayError, UnreachableError

_PATIENCE = 20
"""Times that a busy gateway is asked again."""


class Result(msgspec.Struct, frozen=True):
    """One check's.

    Attributes:
        passed: None if the check could not be run on this bench; `detail` says why.
    """

    name: str
    passed: bool | None
    detail: str = ""


class BrokenError(AssertionError):
    """What the check saw, in a sentence."""


class Trial:
    """One check's hands on the bench: updates whose revisions only grow, and eyes on the glass."""

    _revisions = count(time.time_ns() // 1_000_000)  # above whatever an earlier run left on the displays

    def __init__(self, bench: Bench, driver: Driver) -> None:
        self.bench, self.driver = bench, driver
        self.first, self.second, self.third = bench.addresses[:3]

    def face(self, number: int, panel: Panel | None = None) -> Face:
        """Faces with different numbers look different; the kind is what the driver takes."""
        panel = panel or self.bench.panel
        if self.driver.info.takes == "data":
            return Data(panel, {"name": f"Conformance {number}", "price": f"{number}.90", "lines": [number, "é"]})
        stripes = bytes((x // 8 + number) % 2 for x in range(panel.width))
        return Frame(panel, (stripes * panel.height)[number:] + b"\1" * number)

    def update(self, address: str, face: Face, revision: int | None = None) -> Update:
        number = next(self._revisions)
        return Update(f"conformance-{number}", address, number if revision is None else revision, face)

    async def taken(self, *updates: Update) -> list[Outcome]:
        """Pushes what has to be taken, in as many pushes as the driver's limit asks for; a busy one is asked again."""
        limit = self.driver.info.max_batch
        pushes = [await self.driver.push(updates[start : start + limit]) for start in range(0, len(updates), limit)]
        outcomes = [outcome for push in pushes for outcome in push]
        for number, update in enumerate(updates):
            for _ in range(_PATIENCE):
                busy = outcomes[number].error
                if not isinstance(busy, BusyError):
                    break
                await asyncio.sleep(busy.retry_after or 0.1)
                [outcomes[number]] = await self.driver.push([update])
        for update, outcome in zip(updates, outcomes, strict=True):
            expect(outcome.error is None, f"{update.address} was not taken: {outcome.error!r}")
        return outcomes

    async def shows(self, address: str, face: Face, why: str) -> None:
        expect(await self.bench.glass(address) == face, f"{address} shows something else: {why}")

    async def report(self, address: str) -> Report:
        reports = [report for report in await self.driver.poll([address]) if report.address == address]
        expect(len(reports) == 1, f"{len(reports)} reports of {address}")
        return reports[0]


def expect(held: bool, otherwise: str) -> None:
    if not held:
        raise BrokenError(otherwise)


Check = Callable[[Trial], Awaitable[None]]
CHECKS: dict[str, Check] = {}
"""By name, which is also the key in each driver's quality.yaml."""


def check(function: Check) -> Check:
    CHECKS[function.__name__.replace("_", "-")] = function
    return function


async def run(bench: Bench, only: Sequence[str] = ()) -> list[Result]:
    """Every check, or only those named, one after the other; raises nothing that a driver could have caused."""
    return [await _judged(name, bench) for name in CHECKS if not only or name in only]


async def _judged(name: str, bench: Bench) -> Result:
    driver = bench.driver()
    try:
        await driver.open()
        await CHECKS[name](Trial(bench, driver))
    except CannotError as reason:
        return Result(name, None, str(reason))
    except BrokenError as broken:
        return Result(name, False, str(broken))
    except DriverError as error:
        return Result(name, False, f"{type(error).__name__} where none was due: {error.detail}")
    except Exception as error:  # noqa: BLE001 - a driver must let nothing else out
        return Result(name, False, f"Not a DriverError: {error!r}")
    finally:
        with suppress(Exception):  # a check of its own judges this
            await driver.close()
    return Result(name, True)


@check
async def shows_what_was_pushed(trial: Trial) -> None:
    updates = [trial.update(address, trial.face(n)) for n, address in enumerate((trial.first, trial.second), 1)]
    await trial.taken(*updates)
    await trial.bench.settle()
    for update in updates:
        await trial.shows(update.address, update.face, "it was pushed nothing but this")


@check
async def reports_the_mark_of_what_it_shows(trial: Trial) -> None:
    update = trial.update(trial.first, trial.face(1))
    [outcome] = await trial.taken(update)
    await trial.bench.settle()
    report = await trial.report(update.address)
    expect(outcome.mark is not None, "the outcome has no mark to recognise the report by")
    expect(report.shows == outcome.mark, f"reports {report.shows!r} for what was marked {outcome.mark!r}")
    expect(report.proof == trial.driver.info.proof, f"reports at {report.proof!r} what it declares to prove fully")


@check
async def never_proves_what_it_does_not_show(trial: Trial) -> None:
    """Asked again and again while updates are under way: a claim of `displayed` has to be on the glass."""
    for number in range(1, 6):
        update = trial.update(trial.first, trial.face(number))
        [outcome] = await trial.taken(update)
        report = await trial.driver.poll([trial.first])
        claimed = [claim for claim in report if claim.shows == outcome.mark and claim.proof == Proof.DISPLAYED]
        if claimed:
            await trial.shows(trial.first, update.face, "and yet it was reported as displayed")
        stronger = [claim for claim in report if claim.proof is not None and claim.proof > trial.driver.info.proof]
        expect(not stronger, f"claims more than {trial.driver.info.proof.word}: {stronger}")


@check
async def answers_each_update_in_order(trial: Trial) -> None:
    if trial.driver.info.max_batch == 1:
        raise CannotError("The driver takes one update at a time.")
    bad, good = trial.update(trial.bench.unknown, trial.face(1)), trial.update(trial.first, trial.face(2))
    outcomes = await trial.driver.push([bad, good])
    expect([outcome.token for outcome in outcomes] == [bad.token, good.token], "the outcomes are in another order")
    await trial.bench.settle()
    await trial.shows(good.address, good.face, "its neighbour was at fault")


@check
async def names_an_unknown_display(trial: Trial) -> None:
    [outcome] = await trial.driver.push([trial.update(trial.bench.unknown, trial.face(1))])
    expect(isinstance(outcome.error, UnknownDisplayError), f"said {outcome.error!r} of an unknown display")
    reports = await trial.driver.poll([trial.bench.unknown])
    expect(not reports, f"reports of an unknown display: {reports}")


@check
async def refuses_a_face_for_another_panel(trial: Trial) -> None:
    await trial.taken(before := trial.update(trial.first, trial.face(1)))
    panel = Panel(trial.bench.panel.width + 8, trial.bench.panel.height, trial.bench.panel.palette)
    [outcome] = await trial.driver.push([trial.update(trial.first, trial.face(2, panel))])
    expect(isinstance(outcome.error, FrameRefusedError), f"said {outcome.error!r} of a face for {panel.name}")
    await trial.bench.settle()
    await trial.shows(trial.first, before.face, "a face for another panel got there")


@check
async def takes_a_repeated_token(trial: Trial) -> None:
    update = trial.update(trial.first, trial.face(1))
    outcomes = await trial.taken(update) + await trial.taken(update)
    await trial.bench.settle()
    outcomes += await trial.taken(update)
    await trial.bench.settle()
    expect(len({outcome.mark for outcome in outcomes}) == 1, f"one token, several marks: {outcomes}")
    await trial.shows(update.address, update.face, "its only update was repeated")
    expect((await trial.report(update.address)).shows == outcomes[0].mark, "reports another mark after a repetition")


@check
async def never_goes_back(trial: Trial) -> None:
    """Whatever it answers to the older update: it must not land, neither at once nor after the newer one is shown."""
    older = trial.update(trial.first, trial.face(1))
    await trial.taken(newer := trial.update(trial.first, trial.face(2)))
    await trial.driver.push([older])
    await trial.bench.settle()
    await trial.shows(trial.first, newer.face, "an older revision was pushed while this was on its way")
    await trial.driver.push([trial.update(trial.first, trial.face(3), revision=older.revision)])
    await trial.bench.settle()
    await trial.shows(trial.first, newer.face, "an older revision was pushed after it")


@check
async def ends_at_the_last_of_several(trial: Trial) -> None:
    """A face that returns is a new update: what counts is its own token."""
    first, other = trial.face(1), trial.face(2)
    for face in (first, other, first):
        [outcome] = await trial.taken(trial.update(trial.first, face))
    await trial.bench.settle()
    await trial.shows(trial.first, first, "it was the last of three")
    expect((await trial.report(trial.first)).shows == outcome.mark, "reports an earlier token of the same face")


@check
async def takes_a_full_batch(trial: Trial) -> None:
    addresses = trial.bench.addresses[: trial.driver.info.max_batch]
    updates = [trial.update(address, trial.face(n % 7)) for n, address in enumerate(addresses)]
    await trial.taken(*updates)
    await trial.bench.settle()
    for update in updates:
        await trial.shows(update.address, update.face, f"it was one of a push of {len(updates)}")
    reported = {report.address for report in await trial.driver.poll(addresses)}
    expect(reported == set(addresses), f"{len(reported)} of {len(addresses)} displays reported")


@check
async def takes_nothing(trial: Trial) -> None:
    expect(await trial.driver.push([]) == [], "an empty push has outcomes")
    expect(await trial.driver.poll([]) == [], "an empty poll has reports")


@check
async def says_when_the_gateway_is_away(trial: Trial) -> None:
    await trial.bench.unplug()
    update = trial.update(trial.first, trial.face(1))
    try:
        await _unreachable("push", trial.driver.push([update]))
        await _unreachable("poll", trial.driver.poll([trial.first]))
        await _unreachable("open", trial.bench.driver().open())
    finally:
        await trial.bench.plug()
    await trial.taken(update)
    await trial.bench.settle()
    await trial.shows(update.address, update.face, "it was pushed again when the gateway was back")


async def _unreachable(what: str, call: Awaitable[object]) -> None:
    try:
        answer = await call
    except UnreachableError:
        return
    raise BrokenError(f"{what} to a gateway that is away gave {answer!r} instead of UnreachableError")


@check
async def closes_quietly(trial: Trial) -> None:
    """Twice, after use, and never opened at all."""
    for driver in (trial.driver, trial.driver, trial.bench.driver()):
        try:
            await driver.close()
        except Exception as error:
            raise BrokenError(f"close raised {error!r}") from error


@check
async def tells_by_itself(trial: Trial) -> None:
    """Pushes until the stream has told of the display once: nobody can say when a stream has begun to listen."""
    if not isinstance(trial.driver, Listens):
        raise CannotError("The driver does not listen.")
    heard = asyncio.ensure_future(_first_report(trial.driver.listen(), trial.first))
    try:
        for number in range(1, 11):
            await trial.taken(trial.update(trial.first, trial.face(number)))
            await trial.bench.settle()
            await asyncio.wait({heard}, timeout=0.2)
            if heard.done():
                return heard.result()
    finally:
        heard.cancel()
        await asyncio.wait({heard})
    raise BrokenError("ten updates reached the display, and the stream told of none")


async def _first_report(reports: AsyncIterator[Report], address: str) -> None:
    async for report in reports:
        if report.address == address and report.shows is not None:
            return


@check
async def finds_its_displays(trial: Trial) -> None:
    if not isinstance(trial.driver, Discovers):
        raise CannotError("The driver does not discover.")
    found = {display.address: display.panel for display in await trial.driver.discover()}
    missing = [address for address in trial.bench.addresses if found.get(address) != trial.bench.panel]
    expect(not missing, f"did not find {missing[:3]} with their panel")


@check
async def renders_its_glass(trial: Trial) -> None:
    if not isinstance(trial.driver, Renders):
        raise CannotError("The driver does not render.")
    await trial.taken(trial.update(trial.first, trial.face(1)))
    await trial.bench.settle()
    seen = await trial.driver.glass(trial.first)
    expect(seen == await trial.bench.glass(trial.first), "renders something else than is on the glass")


@check
async def blinks(trial: Trial) -> None:
    if not isinstance(trial.driver, Blinks):
        raise CannotError("The driver does not blink.")
    await trial.driver.blink(trial.first, 1)
    try:
        await trial.driver.blink(trial.bench.unknown, 1)
    except UnknownDisplayError:
        return
    raise BrokenError("blinked a display that it does not know")
