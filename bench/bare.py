"""The floor of a push: the service's own server around a handler that reads the body, decodes it untyped, and answers.

`python -m bench.bare` prints its port once it listens.
"""

import socket
import sys

import msgspec
import uvicorn
from litestar import Litestar, Request, Response, post

from service.app import Protocol

_ANSWER = b'{"received":1000,"accepted":1000,"rejected":0,"errors":[],"warnings":[]}'


@post("/batch/push", status_code=200)
async def push(request: Request) -> Response[bytes]:  # type: ignore[type-arg]
    body = b"".join([chunk async for chunk in request.stream()])
    msgspec.json.decode(body)
    return Response(_ANSWER, media_type="application/json")


def main() -> None:
    app = Litestar(route_handlers=[push], openapi_config=None, logging_config=None, request_max_body_size=16 << 20)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main()
