"""Of the process itself, and of this document; for everybody."""

from service import errors
from service.api import health
from service.api.operations.operation import Answer, Operation
from service.messages.tenants import Discovery

HEALTH_TAG = "Health"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/health/live",
        id="isLive",
        tag=HEALTH_TAG,
        reach="open",
        summary="Whether the process is up",
        text="Asks nothing of anybody else: a process that does not answer here should be restarted.",
        answers=(Answer(200, "It is.", health.Live),),
    ),
    Operation(
        method="get",
        path="/health/ready",
        id="isReady",
        tag=HEALTH_TAG,
        reach="open",
        summary="Whether it can work",
        text="The database is needed. Without Redis it is `degraded` but ready: changes go out a little later.",
        answers=(Answer(200, "It can.", health.Ready),),
        refusals=(errors.UnavailableError,),
    ),
    Operation(
        method="get",
        path="/metrics",
        id="getMetrics",
        tag=HEALTH_TAG,
        reach="open",
        summary="Metrics for Prometheus",
        text="Requests of this process, and displays, updates, batches and gateways as the database has them.",
        answers=(Answer(200, "The text exposition format.", {"type": "string"}, media="text/plain"),),
    ),
    Operation(
        method="get",
        path="/api/v1",
        id="discover",
        tag=HEALTH_TAG,
        reach="open",
        summary="What there is",
        text="Name, version, where it is described, and every operation with the scopes that it needs.",
        answers=(Answer(200, "What answers here.", Discovery),),
    ),
    Operation(
        method="get",
        path="/openapi.json",
        id="getDocument",
        tag=HEALTH_TAG,
        reach="open",
        summary="This document",
        text="OpenAPI 3.1.",
        answers=(Answer(200, "The document.", {"type": "object"}),),
    ),
    Operation(
        method="get",
        path="/docs",
        id="getPage",
        tag=HEALTH_TAG,
        reach="open",
        summary="This document, for people",
        text="One page without scripts.",
        answers=(Answer(200, "The page.", {"type": "string"}, media="text/html"),),
    ),
    Operation(
        method="get",
        path="/",
        id="getRoot",
        tag=HEALTH_TAG,
        reach="open",
        summary="To the page",
        text="Sends a browser to `/docs`.",
        answers=(Answer(303, "See there.", headers={"Location": "/docs"}),),
    ),
)
