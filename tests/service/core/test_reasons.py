from service.core.reasons import Circumstances, why

SINCE = "2026-11-22T06:30:00.000Z"


def test_a_gateway_that_does_not_answer_is_the_reason_before_any_other() -> None:
    code, sentence = why(Circumstances(sent=True, gateway="back", unreachable_since=SINCE, error="busy"))
    assert code == "gateway_unreachable"
    assert sentence == f"Gateway back has not answered since {SINCE}. Check its power and network."


def test_how_the_gateway_failed_is_said_with_it() -> None:
    _, sentence = why(Circumstances(sent=False, gateway="back", unreachable_since=SINCE, gateway_error="No route."))
    assert "(No route.)" in sentence


def test_an_error_of_the_update_is_told_in_its_own_words() -> None:
    assert why(Circumstances(sent=False, gateway="g", error="busy", detail="Full.")) == ("busy", "Full.")
    assert why(Circumstances(sent=False, gateway="g", error="busy")) == ("busy", "busy")


def test_what_was_sent_and_has_not_reported_is_unproven() -> None:
    assert why(Circumstances(sent=True, gateway="g"))[0] == "unproven"


def test_what_was_not_sent_waits_for_its_gateway_by_name() -> None:
    code, sentence = why(Circumstances(sent=False, gateway="back"))
    assert (code, "back" in sentence) == ("waiting", True)
