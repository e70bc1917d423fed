import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from service import logs

TOKEN = "sc_live_" + "k3J9" + "x" * 28


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, with the logging of the test run put back afterwards."""
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    logs.configure("info", stream)
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_one_json_object_with_the_ids_of_its_request(lines: io.StringIO):
    structlog.contextvars.bind_contextvars(request_id="R1", batch_id="B1")
    structlog.get_logger("service.sync").info("batch_saved", rows=3)
    (line,) = lines.getvalue().splitlines()
    entry = json.loads(line)
    assert entry.pop("at").endswith("Z")
    assert entry == {
        "event": "batch_saved",
        "rows": 3,
        "request_id": "R1",
        "batch_id": "B1",
        "level": "info",
        "logger": "service.sync",
    }


def test_what_libraries_log_goes_the_same_way(lines: io.StringIO):
    structlog.contextvars.bind_contextvars(request_id="R1")
    logging.getLogger("uvicorn.error").warning("open streams: %d", 2)
    entry = json.loads(lines.getvalue())
    assert (entry["event"], entry["level"], entry["request_id"]) == ("open streams: 2", "warning", "R1")


@pytest.mark.parametrize(
    "value", [TOKEN, f"Bearer {TOKEN}", {"headers": [("authorization", TOKEN)]}, ValueError(TOKEN), TOKEN.encode()]
)
def test_a_token_is_in_no_line_wherever_it_was(lines: io.StringIO, value: object):
    structlog.get_logger().info("request", value=value)
    assert TOKEN not in lines.getvalue()
    assert "sc_live_k3J9…" in lines.getvalue()


def test_a_token_is_in_no_traceback_and_in_no_library_line(lines: io.StringIO):
    try:
        int(TOKEN)
    except ValueError:
        structlog.get_logger().exception("job_failed")
    logging.getLogger("httpx2").warning("GET /?token=%s", TOKEN)
    assert "Traceback" in lines.getvalue()
    assert TOKEN not in lines.getvalue()


def test_the_password_of_a_url_is_in_no_line(lines: io.StringIO):
    structlog.get_logger().error("unreachable", error="postgresql://shelf:hush@db/x refused")
    assert "postgresql://shelf:…@db/x refused" in lines.getvalue()


def test_what_is_below_the_level_is_left_out(lines: io.StringIO):
    structlog.get_logger().debug("detail")
    logging.getLogger("httpx").info("every request")
    assert lines.getvalue() == ""
