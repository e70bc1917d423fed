"""Rows of the database as the circumstances that `core.reasons` explains."""

from collections.abc import Mapping
from typing import Any

from display_drivers.base import Proof
from service.core.reasons import Circumstances, Maintenance, why
from service.messages import ProofWord, time, time_or_none

_WORDS: dict[int, ProofWord] = {
    Proof.DISPLAYED: "displayed",
    Proof.DELIVERED: "delivered",
    Proof.ACCEPTED: "accepted",
}


def proof_word(proof: int | None) -> ProofWord | None:
    return None if proof is None else _WORDS[proof]


def word_of(proof: Proof) -> ProofWord:
    return _WORDS[proof]


def maintenance_of(row: Mapping[Any, Any]) -> Maintenance | None:
    """Of a row that has the columns of its gateway's maintenance."""
    since = row["maintenance_since"]
    return since and Maintenance(time(since), row["maintenance_by"], row["maintenance_reason"])


def of_tag(row: dict[str, Any]) -> tuple[str | None, str | None]:
    """Why a batch's display is not confirmed; (None, None) if it is."""
    if row["state"] == "confirmed":
        return None, None
    if row["state"] == "superseded":
        return row["reason"], row["detail"]
    return why(
        Circumstances(
            sent=row["sent_at"] is not None,
            gateway=row["gateway"],
            unreachable_since=time_or_none(row["unreachable_since"]),
            gateway_error=row["gateway_error"],
            error=row["reason"] if row["state"] == "failed" else row["update_error"],
            detail=row["detail"] if row["state"] == "failed" else row["update_detail"],
            maintenance=maintenance_of(row),
        )
    )
