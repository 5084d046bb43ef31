"""`python -m bench.courier`: deliveries a second by the whole courier, beside a bare loop with the same sender.

The courier takes from its database, signs, sends and writes down what became of it; the loop signs and sends. Both send
to a receiver on 127.0.0.1 that is a process of its own and answers 200 to everything.
"""

import argparse
import asyncio
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import uvloop

from bench import place, sending
from bench.__main__ import POSTGRES
from bench.place import Place
from service import composition
from service.actions import backlog, listing, webhooks
from service.actions.doorkeeper import Doorkeeper
from service.actions.listing import Listing
from service.actions.references import Named
from service.actions.service import Call, Service
from service.actions.tokens import Tokens
from service.actions.webhooks import Asked
from service.workers import sequencer
from service.workers.courier import Courier
from service.workflow.delivery import Format
from service.workflow.items import Draft

AT_ONCE = 500
"""Items that one call lists."""


@dataclass(frozen=True, slots=True)
class Round:
    endpoints: int
    rate: float
    bare: float


async def admit(service: Service, key: str) -> Call:
    now = datetime.now(UTC)
    return Call.of(await Doorkeeper(service, Tokens(service)).admit(key, now=now, clock=0.0), now)


async def rate(service: Service, call: Call, url: str, endpoints: int, count: int) -> float:
    """Deliveries a second of `count` events to so many endpoints each; the endpoints are gone afterwards."""
    made = []
    for _ in range(endpoints):
        asked = Asked(
            url=url, types=("item.created",), unit=None, format=Format.STANDARD, rate_limit=None, enabled=True
        )
        made.append((await webhooks.create(service, call, asked)).webhook)
    for start in range(0, count, AT_ONCE):
        drafts = [Draft(title=f"第{start + number}号问题") for number in range(AT_ONCE)]
        named = Named("default", "/ledger"), Named("root", "/responsible_unit")
        await listing.create(
            service, call, [Listing(draft=each, ledger=named[0], responsible=named[1]) for each in drafts]
        )
    await sequencer.run_until_done(service)
    courier = Courier(service)
    began = time.perf_counter()
    working = asyncio.create_task(courier.run())
    while (await backlog.measure(service, datetime.now(UTC))).courier.length:  # noqa: ASYNC110  (it tells nobody)
        await asyncio.sleep(0.05)
    took = time.perf_counter() - began
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    for each in made:
        await webhooks.remove(service, call, each.id)
    return endpoints * count / took


async def rounds(filled: Place, key: str, options: argparse.Namespace) -> list[Round]:
    allowed = filled.settings.model_copy(update={"webhook_allow_networks": "127.0.0.0/8"})
    found = []
    with sending.receiver() as url:
        async with composition.running(allowed) as service:
            composition.collect_less()
            call = await admit(service, key)
            for _ in range(options.rounds):
                for endpoints in (1, 7):
                    bare, _ = await sending.measure(sending.ours_signing, url, options.seconds)
                    sent = await rate(service, call, url, endpoints, options.events // endpoints // AT_ONCE * AT_ONCE)
                    found.append(Round(endpoints, sent, bare))
    return found


def report(found: list[Round]) -> str:
    lines = ["| Endpoints | Deliveries/s | Bare loop/s | Ratio |", "|---:|---:|---:|---:|"]
    for endpoints in dict.fromkeys(each.endpoints for each in found):
        these = [each for each in found if each.endpoints == endpoints]
        ratio = median(each.rate / each.bare for each in these)
        sent, bare = median(each.rate for each in these), median(each.bare for each in these)
        lines.append(f"| {endpoints} | {sent:,.0f} | {bare:,.0f} | {ratio:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.courier", description="How fast the courier is on this machine.")
    parser.add_argument("--events", type=int, default=14_000, help="deliveries of a round (14,000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (3)")
    parser.add_argument("--seconds", type=float, default=3, help="length of the bare loop (3)")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--postgres", default=os.environ.get("BENCH_POSTGRES_URL", POSTGRES), help="the server's URL")
    options = parser.parse_args()
    filled = place.prepare(options.database, items=100, unit_count=60, server=options.postgres)
    try:
        key = asyncio.run(place.new_admin_key(filled))
        found = uvloop.run(rounds(filled, key, options))
    finally:
        filled.remove()
    print(f"{options.database}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}\n")
    print(report(found))


if __name__ == "__main__":
    main()
