"""Steady traffic: every company sends a ticket again and again. A program of its own, run with `python -m`."""

import argparse
import asyncio
import contextlib
import itertools
import signal
import time

import aiohttp

from headgate.local.demo.companies import COMPANIES

_TIMEOUT = aiohttp.ClientTimeout(total=10.0)


async def send(url: str, per_company: float) -> None:
    """Send `per_company` requests a second for each company, evenly spread, until cancelled.

    A machine that cannot keep up sends fewer; what was missed is not made up for in a burst.
    """
    pause = 1.0 / (per_company * len(COMPANIES))
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, asyncio.TaskGroup() as under_way:
        due = time.monotonic()
        for company in itertools.cycle(COMPANIES):
            under_way.create_task(_ask(session, url, company))
            due = max(due + pause, time.monotonic() - pause)
            await asyncio.sleep(due - time.monotonic())


async def _ask(session: aiohttp.ClientSession, url: str, company: str) -> None:
    # A failed request is what the service's own metrics tell of.
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with session.post(f"{url}/reply", json={"company": company, "ticket": "Where is my order?"}) as answer:
            await answer.read()


async def _send_until_told_to_stop(url: str, per_company: float) -> None:
    sending = asyncio.create_task(send(url, per_company))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sending.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await sending


def main() -> None:
    """Send until SIGTERM."""
    parser = argparse.ArgumentParser(description="The demo's traffic.")
    parser.add_argument("--url", required=True, help="the service")
    parser.add_argument("--per-company", type=float, required=True, help="requests a second for each company")
    arguments = parser.parse_args()
    asyncio.run(_send_until_told_to_stop(arguments.url, arguments.per_company))


if __name__ == "__main__":
    main()
