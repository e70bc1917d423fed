import msgspec
import pytest

from service.core.issuing import Rights, excess
from service.core.limits import PLANS, Plan

GROWTH, PRO = PLANS
OWN = Rights(organisation_id=1, store_id=7, scopes=("products:write", "tokens:write"), plan=PRO, expires_at=1000)


def other(**changes: object) -> Rights:
    return msgspec.structs.replace(OWN, **changes)


def test_a_token_may_hand_on_all_that_it_has():
    assert excess(OWN, OWN) == {}


@pytest.mark.parametrize(
    "less", [{"scopes": ("products:read",)}, {"plan": GROWTH}, {"expires_at": 999}, {"scopes": ()}]
)
def test_it_may_hand_on_less(less: dict[str, object]):
    assert excess(OWN, other(**less)) == {}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"store_id": 8}, "store"),
        ({"store_id": None}, "store"),
        ({"organisation_id": 2}, "store"),
        ({"scopes": ("feed",)}, "scopes"),
        ({"scopes": ("admin",)}, "scopes"),
        ({"plan": None}, "plan"),
        ({"plan": Plan("quick", 1, 100_000)}, "plan"),
        ({"plan": Plan("long", 10_001, 1)}, "plan"),
        ({"expires_at": 1001}, "expiresAt"),
        ({"expires_at": None}, "expiresAt"),
    ],
)
def test_it_may_not_hand_on_more_in_any_respect(more: dict[str, object], field: str):
    assert list(excess(OWN, other(**more))) == [field]


def test_a_chain_reaches_each_of_its_stores():
    chain = other(store_id=None)
    assert excess(chain, OWN) == {}
    assert "store" in excess(chain, other(organisation_id=2, store_id=7))


def test_what_is_missing_is_named():
    assert excess(OWN, other(scopes=("feed", "displays:write")))["scopes"].endswith(
        "displays:read, displays:write, feed"
    )


def test_who_is_not_limited_hands_on_any_plan():
    unlimited = other(plan=None)
    assert excess(unlimited, OWN) == excess(unlimited, unlimited) == {}
