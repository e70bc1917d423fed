"""The page about webhooks tells every kind as it is, and its programs do what it says."""

import datetime as dt
import inspect
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from service.core.happenings import ABOUT, About, Posted
from service.core.webhooks import Schedule

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text("utf-8")
PROGRAMS = [part.split("```")[0] for part in PAGE.split("```python\n")[1:]]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


def section(about: About) -> str:
    """What the page has to say of a kind."""
    note = " ".join((inspect.getdoc(type(about.example)) or "").split())
    posted = Posted(about.kind, "2026-11-22T03:04:12.480Z", "zagreb-1", about.example)
    body = json.dumps(msgspec.to_builtins(posted), indent=2, ensure_ascii=False)
    return f"### `{about.kind}`\n\n{about.sentence} {note}\n\n```json\n{body}\n```\n"


@pytest.mark.parametrize("about", ABOUT, ids=[about.kind for about in ABOUT])
def test_the_page_tells_every_kind_with_an_example(about: About) -> None:
    """After a change of a kind: python -m tests.service.core.test_webhook_docs, and put it into the page."""
    assert section(about) in PAGE


def test_the_page_has_the_rhythm_of_the_repetitions() -> None:
    plan = Schedule()
    seconds = [plan.pause(attempt, 0.0) // 1000 for attempt in range(1, 9)]
    assert f"after {', '.join(map(str, seconds[:3]))} seconds" in PAGE
    assert seconds[-1] == 6 * 3600


def signed(body: str, at: dt.datetime) -> dict[str, str]:
    signature = Webhook(SECRET).sign("01ABC", at, body)
    return {"webhook-id": "01ABC", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


@pytest.mark.parametrize("program", PROGRAMS, ids=["library", "by hand"])
def test_the_programs_of_the_page_take_what_is_signed_and_refuse_all_else(program: str) -> None:
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102 - our own page
    receive = names["receive"]
    now = dt.datetime.now(dt.UTC)
    body = '{"type":"batch.completed"}'
    assert receive(body.encode(), signed(body, now), SECRET) == {"type": "batch.completed"}
    both = signed(body, now)
    both["webhook-signature"] = "v1,bm9uZQ== " + both["webhook-signature"]
    assert receive(body.encode(), both, SECRET) == {"type": "batch.completed"}
    for wrong, headers in (
        (body + " ", signed(body, now)),
        (body, signed(body, now - dt.timedelta(minutes=6))),
        (body, signed(body, now) | {"webhook-id": "01ABD"}),
    ):
        with pytest.raises((WebhookVerificationError, PermissionError)):
            receive(wrong.encode(), headers, SECRET)


if __name__ == "__main__":
    print("\n".join(map(section, ABOUT)))  # noqa: T201 - to be put into the page
