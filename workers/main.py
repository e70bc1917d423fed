"""The worker process: arq as the bell, jobs from `workers.jobs`. With `service.bell` the only module that knows arq."""

import asyncio
import contextlib
import os
import sys

import structlog
import uvloop
from arq.worker import Worker, func

from service import collecting, logs
from service.bell import QUEUE, deserialize, redis_settings, serialize
from service.context import opened
from service.gateways import gateway_setup
from service.settings import Settings, SettingsError, load
from workers import jobs
from workers.courier import Courier
from workers.files import Files
from workers.jobs import Bench
from workers.lines import Lines
from workers.reports import Ear
from workers.rounds import make_rounds

_TIMEOUT = 60
"""Seconds for every job: how long a job of a killed worker stays arq's before it is tried again, plus 10 s."""

log = structlog.get_logger()


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises what Redis raises if it stays away: a supervisor starts us again."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings))


async def _work(settings: Settings) -> None:
    async with contextlib.AsyncExitStack() as stack:
        ctx = await stack.enter_async_context(opened(settings))
        lines = Lines(ctx)
        stack.push_async_callback(lines.close)
        files = Files(ctx)
        stack.push_async_callback(files.close)
        worker = _worker(settings, Bench(ctx, lines, files))
        stack.push_async_callback(worker.close)
        # Beside the worker, not before it: a signal between its making and its running would be lost.
        works = (Ear(ctx, lines).run(), make_rounds(ctx), Courier(ctx).run(), gateway_setup.seal_stored(ctx))
        beside = [asyncio.create_task(work) for work in works]
        try:
            await worker.async_run()
        except asyncio.CancelledError:
            log.info("worker_stopping")
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


def _worker(settings: Settings, bench: Bench) -> Worker:
    functions = [
        func(job, name=job.__name__, keep_result=0, timeout=_TIMEOUT, max_tries=5)  # type: ignore[arg-type]
        for job in (jobs.save, jobs.push, jobs.poll, jobs.audit, jobs.blink, jobs.read_file)
    ]
    return Worker(
        functions=functions,
        queue_name=QUEUE,
        redis_settings=redis_settings(settings.redis_dsn),
        ctx={"bench": bench},
        job_serializer=serialize,
        job_deserializer=deserialize,
        max_jobs=50,
        queue_read_limit=500,
        poll_delay=0.02,
        keep_result=0,
        job_timeout=_TIMEOUT,
        job_completion_wait=int(settings.shutdown_within),
        allow_abort_jobs=False,
        health_check_interval=10,
        log_results=False,
    )


def main() -> int:
    try:
        settings = load(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log yet
        return 2
    logs.configure(settings.log_level)
    collecting.settle()
    run(settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
