"""What was shown at a time, judged against a display that is simply played."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.evidence import Doubt, Reason, Sent, Shown, at

A, B, C = "a", "b", "c"
FIRST = Shown(10, A, 1)


def test_before_the_first_proof_nothing_is_known():
    verdict = at(5, None, FIRST, [Sent(4, A, 1)])
    assert (verdict.known, verdict.reason, verdict.until) == (False, Reason.NEVER_PROVEN, 10)
    assert verdict.sent == (Sent(4, A, 1),)


def test_what_was_proven_holds_until_something_newer_is_sent():
    sent = [Sent(4, A, 1), Sent(20, B, 2)]
    before, after = at(19, FIRST, None, sent), at(20, FIRST, None, sent)
    assert (before.known, before.until) == (True, 20)
    assert (after.known, after.reason, after.sent) == (False, Reason.NEWER_SENT, (Sent(20, B, 2),))


def test_a_late_proof_of_an_older_face_leaves_the_newer_one_possible():
    sent = [Sent(20, B, 2), Sent(25, C, 3)]
    verdict = at(35, Shown(30, B, 2), None, sent)
    assert (verdict.reason, verdict.sent) == (Reason.NEWER_SENT, (Sent(25, C, 3),))


def test_the_proof_of_a_newer_face_rules_out_every_older_one():
    sent = [Sent(20, B, 2), Sent(25, C, 3)]
    assert at(40, Shown(30, C, 3), None, sent).known


def test_the_same_face_sent_again_is_no_doubt():
    assert at(40, FIRST, None, [Sent(20, A, 2)]).known


def test_a_display_that_fell_back_unseen_is_not_known_from_its_last_proof_on():
    fell = Shown(50, None, 1)
    assert at(30, FIRST, fell, []).reason is Reason.FELL_BACK
    assert at(60, fell, None, []).reason is Reason.FOREIGN
    assert at(60, Shown(50, C, 1), None, []).known


@pytest.mark.parametrize("reason", [Reason.SEEN_OTHERWISE, Reason.UNHEARD])
def test_a_doubt_holds_until_the_next_proof(reason: Reason):
    doubt = [Doubt(30, reason)]
    assert at(29, FIRST, None, [], doubt).known
    assert at(29, FIRST, None, [], doubt).until == 30
    assert at(30, FIRST, None, [], doubt).reason is reason
    assert at(50, Shown(40, A, 3), None, [], doubt).known


STEPS = st.lists(st.sampled_from(["push", "land", "report", "report old", "fall", "audit"]), max_size=40)


class Played:
    """One display under a gateway that keeps order, and everything that is written down of it; a step is a time."""

    def __init__(self) -> None:
        self.now = 0
        self.glass: list[str | None] = [None]
        """What is on it at each time."""
        self.sent: list[Sent] = []
        self.landed: list[Sent] = []
        self.shown: list[Shown] = []
        self.foreign = False

    @property
    def proven(self) -> int:
        return self.shown[-1].revision if self.shown else 0

    def step(self, word: str) -> None:
        self.now += 1
        glass = self.glass[-1]
        if word == "push":
            self.sent.append(Sent(self.now, "abc"[len(self.sent) % 3], len(self.sent) + 1))
        waiting = [one for one in self.sent if not self.landed or one.revision > self.landed[-1].revision]
        if word == "land" and waiting:
            self.landed.append(waiting[len(waiting) // 2])  # a gateway may drop some, and never goes back
            glass, self.foreign = self.landed[-1].digest, False
        if word == "fall" and self.landed:
            glass, self.foreign = None, True
        self.glass.append(glass)
        if word == "report" and self.landed and not self.foreign:
            self.hear(self.landed[-1])
        if word == "report old" and len(self.landed) > 1:
            self.hear(self.landed[-2])
        if word == "audit":
            self.audit()

    def hear(self, update: Sent) -> None:
        """As `proof.record`: only what is newer than the last proof proves something."""
        if update.revision > self.proven:
            self.shown.append(Shown(self.now, update.digest, update.revision))

    def audit(self) -> None:
        """An answer to a question, which may tell that the display shows another face than it was proven to."""
        if self.foreign and self.shown and self.shown[-1].digest is not None:
            self.shown.append(Shown(self.now, None, self.proven))
        elif self.landed and not self.foreign:
            self.hear(self.landed[-1])


@given(STEPS)
def test_no_other_face_was_on_the_glass_than_the_one_that_is_said_to_be_known(words: list[str]):
    played = Played()
    for word in words:
        played.step(word)
    for time in range(1, played.now + 1):
        last = next((one for one in reversed(played.shown) if one.at <= time), None)
        following = next((one for one in played.shown if one.at > time), None)
        verdict = at(time, last, following, played.sent)
        if verdict.known:
            assert last is not None
            assert played.glass[time] in {last.digest, None}  # None: it fell, and nothing told of that


@given(STEPS)
def test_without_falls_every_known_face_is_the_one_on_the_glass(words: list[str]):
    played = Played()
    for word in words:
        if word != "fall":
            played.step(word)
    for time in range(1, played.now + 1):
        last = next((one for one in reversed(played.shown) if one.at <= time), None)
        following = next((one for one in played.shown if one.at > time), None)
        verdict = at(time, last, following, played.sent)
        if verdict.known:
            assert verdict.shown is not None
            assert played.glass[time] == verdict.shown.digest
        elif last is not None:
            assert played.glass[time] in {last.digest, *(one.digest for one in verdict.sent)}
