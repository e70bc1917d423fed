"""Logs: one JSON object a line on standard error, for people where that is a terminal; never with a token in them.

`structlog.contextvars.bind_contextvars(request_id=…, batch_id=…)` puts the ids into every line of a request or job.
What libraries log through the standard library goes the same way.
"""

import logging
import re
import sys
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_TOKEN = re.compile(r"(sc_(?:live|test)_\w{4})\w+")
_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")

_CHATTY = ("alembic", "arq", "httpx", "httpcore", "aiosqlite", "asyncio", "PIL")
"""Libraries whose informative lines say nothing to an operator, or say it for every request."""


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Set up both structlog and the standard library; called once by each process."""
    stream = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), _without_colours],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendered(people=stream.isatty()),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(capture=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _without_colours(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn says everything twice
    return event


def _rendered(*, people: bool) -> list[Processor]:
    # An exception's text may hold a token too, so it is made text first and redacted with the rest.
    if people:
        return [structlog.processors.format_exc_info, redact, structlog.dev.ConsoleRenderer()]
    return [structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer(ensure_ascii=False)]


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Leave of a token its recognisable prefix and of a URL's password nothing, wherever in the event they are."""
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return _PASSWORD.sub(r"\1…@", _TOKEN.sub(r"\1…", value))
    if isinstance(value, dict):
        return {_redacted(key): _redacted(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(entry) for entry in value]
    if value is None or isinstance(value, int | float):
        return value
    return _redacted(str(value))
