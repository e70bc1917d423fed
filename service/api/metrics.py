"""Metrics in the Prometheus text format: requests as they are answered, the rest as the database has it."""

from collections.abc import Iterable, Iterator

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from service.context import Shelfcast
from service.core.batches import Status
from service.store import metrics
from service.store.database import UNAVAILABLE
from service.store.metrics import Figures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ENVIRONMENTS = ("live", "sandbox")
FRESH_FOR = 10_000
"""Milliseconds; counting every display costs a scan, however often somebody scrapes."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FAMILIES = (
    ("displays", "Displays, by whether they show what they should.", ("right", "wrong", "unbound")),
    ("updates", "Updates on their way.", ("PENDING", "SENT")),
    ("batches", "Batches of the feed.", tuple(Status)),
    ("gateways", "Gateways.", ("reachable", "unreachable", "maintenance")),
)

log = structlog.get_logger(__name__)


class Metrics:
    """One API process's own counters, and the latest figures from the database."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "shelfcast_http_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "shelfcast_http_request_seconds",
            "Time to the end of the answer; an event stream's is its life.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._figures: Figures | None = None
        self._counted_at = 0

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note an answer; `route` is the path's template, since ids in labels would grow without end."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)

    async def exposition(self, ctx: Shelfcast) -> bytes:
        scraped = CollectorRegistry()
        scraped.register(_Collected([*_families(await self._latest(ctx)), *_limits(ctx)]))
        return generate_latest(self._registry) + generate_latest(scraped)

    async def _latest(self, ctx: Shelfcast) -> Figures | None:
        """None if the database cannot be reached, which is a figure too."""
        now = ctx.clock()
        if self._figures is not None and now - self._counted_at < FRESH_FOR:
            return self._figures
        try:
            async with ctx.db.read() as conn:
                self._figures = await metrics.figures(conn, now)
        except UNAVAILABLE as error:
            log.warning("figures_unavailable", error=type(error).__name__)
            self._figures = None
        self._counted_at = now
        return self._figures


class _Collected:
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _limits(ctx: Shelfcast) -> Iterator[Metric]:
    enforced = GaugeMetricFamily("shelfcast_rate_limits_enforced", "Whether Redis counts requests; if not, all pass.")
    enforced.add_metric([], float(not ctx.limits.counters.away))
    ctx.limits.counters.look()  # where nobody asks, the next scrape finds out
    yield enforced
    refused = CounterMetricFamily("shelfcast_rate_limited", "Requests refused, by what was spent.", labels=("limit",))
    for limit, count in ctx.limits.refused.items():
        refused.add_metric((limit,), count)
    yield refused


def _families(figures: Figures | None) -> Iterator[Metric]:
    """Every state is there from the start, with 0, so that an alert on it has something to look at."""
    up = GaugeMetricFamily("shelfcast_database_up", "Whether the database answers.")
    up.add_metric([], float(figures is not None))
    yield up
    if figures is None:
        return
    for name, text, states in _FAMILIES:
        family = GaugeMetricFamily(f"shelfcast_{name}", text, labels=("environment", "state"))
        counts = getattr(figures, name)
        for environment in ENVIRONMENTS:
            for state in states:
                family.add_metric((environment, state.lower()), counts.get((environment, state), 0))
        yield family
    overdue = GaugeMetricFamily(
        "shelfcast_oldest_due_update_seconds", "How long the oldest due update has waited.", labels=("environment",)
    )
    for environment in ENVIRONMENTS:
        overdue.add_metric((environment,), figures.overdue.get(environment, 0) / 1000)
    yield overdue
