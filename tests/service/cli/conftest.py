"""The command line in this process, and a feed API that answers as it is told to."""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from service.cli import main
from service.settings import Settings

SESSION = "01M8148K7E1YNZK0G9CMEGKHCP"
TIME = "2026-11-22T06:30:00.000Z"

Shelfcast = Callable[..., Result]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Every command sets up the logs of its process; here they are put back."""
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def shelfcast(on_sqlite: Settings) -> Shelfcast:
    """Run a command on a fresh installation."""
    ambient = dict.fromkeys((name for name in os.environ if name.startswith("SHELFCAST_")), None)
    environ = {"SHELFCAST_DATA_DIR": str(on_sqlite.data_dir), "SHELFCAST_REDIS_URL": on_sqlite.redis_dsn}

    def run(*arguments: str | Path, stdin: str | None = None, **more: str) -> Result:
        return CliRunner(env=ambient | environ | more).invoke(main, [str(word) for word in arguments], input=stdin)

    return run


def status(**counts: Any) -> dict[str, Any]:
    """A batch that is over, and right, unless `counts` say otherwise."""
    numbers = (
        "pushes productsReceived productsSaved productsCreated productsUpdated productsUnchanged productsDuplicate"
        " productsStale productsRejected productsArchived tagsTotal tagsSent tagsConfirmed tagsFailed tagsSuperseded"
        " tagsPending"
    )
    return {
        **dict.fromkeys(numbers.split(), 0),
        "sessionId": SESSION,
        "reference": None,
        "mode": "merge",
        "status": "completed",
        "phase": None,
        "progress": 100,
        "reason": None,
        "expectedProducts": None,
        "proof": {"displayed": 0, "delivered": 0, "accepted": 0},
        "startedAt": TIME,
        "expiresAt": TIME,
        "processingAt": TIME,
        "completedAt": TIME,
        **counts,
    }


@dataclass
class Api:
    """A feed API that takes every row, unless the next answer of a path is laid down in `next`.

    Attributes:
        next: Path -> (HTTP status, headers, body) to give instead, in turn; a body of None hangs up.
        asked: (method, path with query, headers, body) of each request.
    """

    url: str = ""
    next: dict[str, list[tuple[int, dict[str, str], Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)

    def answer(self, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        planned = self.next.get(path)
        if planned:
            return planned.pop(0)
        match path.split("/"):
            case [*_, "start"]:
                session = {"sessionId": SESSION, "expiresAt": TIME, "maxProductsPerPush": 1000, "reference": None}
                return 201, {}, session | {"mode": "merge"}
            case [*_, "push"]:
                rows = len(body["products"])
                return 200, {}, {"received": rows, "accepted": rows, "rejected": 0, "errors": [], "warnings": []}
            case [*_, "complete"]:
                return 202, {}, {"sessionId": SESSION, "reference": None, "status": "processing"}
            case [*_, "status" | "cancel"]:
                return 200, {}, status()
        return 200, {}, {"data": [], "meta": {"page": 1, "perPage": 100, "count": 0}}

    def bodies(self, path: str) -> list[Any]:
        return [body for _, asked, _, body in self.asked if asked == f"/api/v1{path}"]


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length", 0)))
            body = json.loads(sent) if sent else None
            api.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            code, headers, answer = api.answer(self.path.split("?")[0].removeprefix("/api/v1"), body)
            if answer is None:
                self.close_connection = True
                return
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = handle_any  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield api
        server.shutdown()
        thread.join()
