"""The courier: sends what is due to its endpoints, many at once, and has written down what became of it.

Any number may run. No endpoint holds up another: each has so many sends at a time, one that fails is tried with one
send at a time, and the sends that all endpoints share go to those with the fewest on their way; one that is slow gives
its own back after a second. A courier that is killed loses nothing: its leases end, and another tries again what it
had in hand.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from heapq import heapify, heappop, heappush
from uuid import UUID

import structlog

from service.actions import courier
from service.actions.carrying import judged, ready, secrets_of, tell
from service.actions.courier import Report, Run, Stop
from service.actions.service import Service
from service.errors import Refused
from service.workers.endpoints import BARRED_SECONDS, Endpoint, Taken
from service.workers.loop import Loop, wall
from service.workers.outcomes import Outcomes
from service.workflow.channels import Target
from service.workflow.delivery import Fate, Outcome
from service.workflow.messages import document
from service.workflow.states import Locale
from service.workflow.webhooks import Status, Webhook

PAUSE_SECONDS = 0.05
"""Between two looks where nothing is due."""

LOOKS = 4
"""Endpoints for which something is taken at the same time."""

SLOW_SECONDS = 1.0
"""A run that takes longer gives up its share of what all endpoints have together."""

RUN_SECONDS = 1 / courier.RUNS_A_SECOND
"""After so long a run begins nothing more: what it has done is written down only when it ends."""

GRACE_SECONDS = 2.0
"""How long what is on its way may still take when the courier is told to stop."""

REMEMBERED = 200
"""Endpoints whose pace is remembered while nothing is on its way to them."""

DONE: dict[str, Status] = {Fate.DELIVERED: Status.DELIVERED, Fate.DEAD: Status.DEAD}

log = structlog.get_logger("xiaohao.courier")


class Courier(Loop):
    """One courier. `concurrency` sends at a time to an endpoint, and about `sends` to all together."""

    def __init__(
        self, service: Service, *, concurrency: int = 10, sends: int = 64, clock: Callable[[], datetime] = wall
    ) -> None:
        super().__init__("courier", self._turn, pause=PAUSE_SECONDS)
        self._service = service
        self._concurrency = concurrency
        self._sends = sends
        self._clock = clock
        self._endpoints: dict[UUID, Endpoint] = {}
        self._quick, self._begun = 0, 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._look = asyncio.Event()
        self._outcomes = Outcomes(service, clock, self._look.set)
        self._looking: asyncio.Task[int] | None = None
        self._closing = False

    async def run(self) -> None:
        """Until cancelled; then what is on its way may end, and the rest is given back."""
        try:
            await super().run()
        finally:
            await self.close()

    async def run_once(self, now: datetime) -> int:
        """One look, and everything that came of it done and written down; how many runs that were."""
        taken = await self.look(now)
        await self.drained()
        return taken

    async def _turn(self, now: datetime) -> bool:
        self._look.clear()
        # Cancelled in the middle, what was taken would be nobody's until its lease ends.
        self._looking = asyncio.create_task(self.look(now))
        if await asyncio.shield(self._looking):
            return True
        if self._tasks or self._outcomes.writing:
            # Whatever makes room for more is not slept through.
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS):
                    await self._look.wait()
            return True
        return False

    # -- taking

    async def look(self, now: datetime) -> int:
        """Take what is due, as far as there is room for it; how many runs that were. Refuses `unavailable`."""
        self._tidy()
        due = await courier.due(self._service, now)
        # Whoever comes last at one look comes first at another.
        random.shuffle(due)
        taken = 0
        for first in range(0, len(due), LOOKS):
            some = due[first : first + LOOKS]
            taken += sum(await asyncio.gather(*(self._take(tenant_id, webhook, now) for tenant_id, webhook in some)))
        return taken

    async def _take(self, tenant_id: UUID, webhook: Webhook, now: datetime) -> int:
        endpoint = self._endpoints.setdefault(webhook.id, Endpoint())
        if endpoint.idle:
            # Other couriers may have seen it fail, or recover.
            endpoint.failures = webhook.failures
        room, at = endpoint.room(self._concurrency, webhook.rate_limit), asyncio.get_running_loop().time()
        if room <= 0 or at < endpoint.barred_until:
            endpoint.more = True
            return 0
        try:
            secrets = secrets_of(self._service.vault, tenant_id, webhook, now)
            runs = await courier.take(self._service, tenant_id, webhook, now, room)
        except Refused:
            raise
        except Exception:
            # A fault of ours with one endpoint; the others must not wait for it to be mended.
            log.exception("nothing taken", webhook=str(webhook.id))
            endpoint.barred_until = at + BARRED_SECONDS
            return 0
        endpoint.more = len(runs) == room
        endpoint.waiting.extend(Taken(run, secrets, at) for run in runs)
        self._pump()
        return len(runs)

    def _tidy(self) -> None:
        """Give back what was in hand for too long, and forget endpoints that nothing is on its way to."""
        now = asyncio.get_running_loop().time()
        for endpoint in self._endpoints.values():
            self._give_back(endpoint.stale(now))
        if len(self._endpoints) > REMEMBERED:
            self._endpoints = {id_: each for id_, each in self._endpoints.items() if not each.forgettable(now)}

    def _give_back(self, runs: list[Run]) -> None:
        """Let them be due now, for whoever takes them."""
        self._outcomes.add(*(Report(run, self._clock()) for run in runs))

    # -- sending

    def _pump(self) -> None:
        """Begin what may be begun: of the endpoint with the fewest on their way, of several the one longest not served.

        So none that is merely slow keeps the shared sends to itself.
        """
        if self._closing or self._quick >= self._sends:
            return
        able = [
            (endpoint.sending, endpoint.served, number, endpoint)
            for number, endpoint in enumerate(self._endpoints.values())
            if endpoint.may_send(self._concurrency)
        ]
        heapify(able)
        while able and self._quick < self._sends:
            *_, number, endpoint = heappop(able)
            self._begin(endpoint)
            if endpoint.may_send(self._concurrency):
                heappush(able, (endpoint.sending, endpoint.served, number, endpoint))

    def _begin(self, endpoint: Endpoint) -> None:
        self._begun += 1
        endpoint.served = self._begun
        endpoint.sending += 1
        self._quick += 1
        task = asyncio.create_task(self._deliver(endpoint, endpoint.waiting.popleft()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, endpoint: Endpoint, taken: Taken) -> None:
        """Deliver a run, one after the other, until one does not arrive."""
        report, quick = Report(taken.run, taken.run.leased_until), True

        def give_back() -> None:
            nonlocal quick
            self._quick -= quick
            quick = False

        def too_slow() -> None:
            give_back()
            self._pump()

        timer = asyncio.get_running_loop().call_later(SLOW_SECONDS, too_slow)
        try:
            await self._go(endpoint, taken, report)
        except asyncio.CancelledError:
            report.next_at = self._clock()
            raise
        except Exception:
            # A fault of ours: the lane is tried again when the lease ends.
            log.exception("nothing delivered", webhook=str(taken.run.webhook.id), lane=str(taken.run.lane_id))
        finally:
            timer.cancel()
            give_back()
            endpoint.sending -= 1
            self._outcomes.add(report)
            self._pump()
            if endpoint.wants_a_look(self._concurrency):
                self._look.set()

    async def _go(self, endpoint: Endpoint, taken: Taken, report: Report) -> None:
        loop = asyncio.get_running_loop()
        began, webhook = loop.time(), taken.run.webhook
        for stop in taken.run.stops:
            if not stop.heard:
                report.wrote(stop, Status.CANCELLED, None, self._clock())
                continue
            if report.arrived and loop.time() - began > RUN_SECONDS:
                break
            await endpoint.pace(webhook.rate_limit)
            if not self._judge(endpoint, report, stop, await self._send(taken, stop)):
                return
        report.next_at = self._clock()

    async def _send(self, taken: Taken, stop: Stop) -> Outcome:
        """One attempt, to a webhook or to a channel's people."""
        webhook, delivery = taken.run.webhook, stop.parcel.delivery
        if stop.tale is None:
            message = ready(
                taken.run.tenant_id, webhook, taken.secrets, stop.parcel.event, self._clock(), replay=delivery.replay
            )
            return await self._service.sender.send(webhook.url, message)
        said = document(stop.tale, webhook.locale or Locale.CHINESE)
        left = tuple(delivery.attempts[-1].get("left", ())) if delivery.attempts else ()
        return await tell(
            self._service, webhook, Target.from_text(taken.secrets[0]), said, str(delivery.event_id),
            delivery.id, self._clock(), left=left,
        )  # fmt: skip

    def _judge(self, endpoint: Endpoint, report: Report, stop: Stop, outcome: Outcome) -> bool:
        """Note what came back; whether the run goes on."""
        now = self._clock()
        attempt = len(stop.parcel.delivery.attempts) + 1
        verdict = judged(report.run.webhook, outcome, attempt, now, random.random())
        arrived = verdict.fate == Fate.DELIVERED
        endpoint.answered(outcome.latency_ms / 1000, arrived)
        if verdict.rest is None:
            report.arrived.append(arrived)
        else:
            report.rests_until = now + verdict.rest
        if verdict.fate == Fate.GONE:
            report.gone = True
            self._give_back(endpoint.gone(asyncio.get_running_loop().time()))
        report.wrote(stop, DONE.get(verdict.fate, Status.PENDING), outcome, now)
        report.next_at = verdict.at or now
        return arrived

    # -- the end

    async def drained(self) -> None:
        """Wait until nothing is on its way and everything is written down."""
        while busy := {*self._tasks, *([self._outcomes.writing] if self._outcomes.writing else [])}:
            await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """Begin nothing more, give what is on its way a moment, give the rest back, and write everything down."""
        self._closing = True
        if self._looking is not None:
            await asyncio.gather(self._looking, return_exceptions=True)
        self._outcomes.hurry()
        for endpoint in self._endpoints.values():
            self._give_back(endpoint.gone(asyncio.get_running_loop().time()))
        if self._tasks:
            _, slow = await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
        await self.drained()


async def run_until_done(service: Service, clock: Callable[[], datetime] = wall) -> int:
    """Deliver all that is due, as long as something is; how many runs that were."""
    working = Courier(service, clock=clock)
    done = 0
    while taken := await working.run_once(clock()):
        done += taken
    return done
