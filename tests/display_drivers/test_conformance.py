"""The suite on our own drivers, against simulated stores of every kind; and on drivers that break their promises."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

import display_drivers
from display_drivers import conformance, simulator
from display_drivers.base import Outcome, Proof, Report, Update
from display_drivers.gateway import GatewayDriver
from display_drivers.gateway import driver as gateway_driver

FOLDERS = sorted(path.parent for path in Path(display_drivers.__file__).parent.glob("*/quality.yaml"))
KINDS = {
    "frames, displayed": {"takes": "frame", "proof": "displayed"},
    "data, delivered": {"takes": "data", "proof": "delivered"},
    "frames, accepted": {"takes": "frame", "proof": "accepted"},
    "slow and lossy": {"time_scale": 400, "loss": 0.3, "retries": 50, "check_in": 4, "transfer": 0.2},
    "two at a time": {"time_scale": 400, "max_batch": 2},
}


def failures(results: Sequence[conformance.Result]) -> list[conformance.Result]:
    return [result for result in results if not result.passed]


@pytest.mark.parametrize("kind", KINDS)
async def test_the_gateway_driver_keeps_every_promise_with(kind, simulated):
    async with simulated(**KINDS[kind]) as bench:
        assert failures(await conformance.run(bench)) == []


async def test_the_simulator_driver_keeps_every_promise(simulated):
    async with simulated(simulator.driver) as bench:
        results = await conformance.run(bench)
    assert [result.name for result in results] == list(conformance.CHECKS)
    assert failures(results) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_quality_file_answers_for_every_check(folder):
    answers = yaml.safe_load((folder / "quality.yaml").read_text())
    assert list(answers) == list(conformance.CHECKS)
    for answer in answers.values():
        assert answer == "done" or (len(answer) == 1 and answer.keys() <= {"todo", "exempt"} and all(answer.values()))


def test_every_driver_folder_has_a_quality_file():
    assert [folder.name for folder in FOLDERS] == ["gateway", "openepaperlink", "simulator"]


class LosesItsOrder(GatewayDriver):
    async def push(self, updates: Sequence[Update]) -> list[Outcome]:
        return list(reversed(await super().push(updates)))


class ShowsTheWrongDisplay(GatewayDriver):
    async def push(self, updates: Sequence[Update]) -> list[Outcome]:
        moved = [Update(update.token, "SIM000003", update.revision, update.face) for update in updates]
        return await super().push(moved)


class ClaimsTooMuch(GatewayDriver):
    """Says that the last thing it sent is on the glass."""

    sent: Update | None = None

    async def push(self, updates: Sequence[Update]) -> list[Outcome]:
        self.sent = updates[-1]
        return await super().push(updates)

    async def poll(self, addresses: Sequence[str]) -> list[Report]:  # noqa: ARG002
        if self.sent is None:
            return []
        return [Report(self.sent.address, 1, self.sent.token, Proof.DISPLAYED)]


class LetsErrorsOut(GatewayDriver):
    async def poll(self, addresses: Sequence[str]) -> list[Report]:
        raise KeyError(addresses)


class ClosesLoudly(GatewayDriver):
    async def close(self) -> None:
        if not self._client:
            raise RuntimeError("closed already")
        await super().close()


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (LosesItsOrder, "answers-each-update-in-order"),
        (ShowsTheWrongDisplay, "shows-what-was-pushed"),
        (ClaimsTooMuch, "never-proves-what-it-does-not-show"),
        (LetsErrorsOut, "reports-the-mark-of-what-it-shows"),
        (LetsErrorsOut, "takes-nothing"),
        (ClosesLoudly, "closes-quietly"),
    ],
)
async def test_a_driver_that_breaks_a_promise_is_caught(broken, check, simulated):
    async with simulated(lambda config: broken("broken", config), time_scale=100) as bench:
        [result] = await conformance.run(bench, only=[check])
    assert result.passed is False
    assert result.detail


async def test_hardware_that_lets_an_older_face_land_is_caught(simulated):
    async with simulated(keeps_order=False) as bench:
        [result] = await conformance.run(bench, only=["never-goes-back"])
    assert result.passed is False


async def test_a_false_acceptance_is_caught(simulated):
    async with simulated(drop=1) as bench:
        [result] = await conformance.run(bench, only=["shows-what-was-pushed"])
    assert "SIM000001 shows something else" in result.detail


async def test_a_bench_that_cannot_unplug_makes_the_check_neither_passed_nor_failed(bench, monkeypatch):
    async def fixed() -> None:
        raise conformance.CannotError("It is soldered in.")

    monkeypatch.setattr(bench, "unplug", fixed)
    [result] = await conformance.run(bench, only=["says-when-the-gateway-is-away"])
    assert result == conformance.Result("says-when-the-gateway-is-away", None, "It is soldered in.")


def test_the_suite_is_the_same_for_both_entry_points():
    config = {"url": "http://127.0.0.1:1"}
    assert [make(config).info.name for make in (gateway_driver, simulator.driver)] == ["gateway", "simulator"]
