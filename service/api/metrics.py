"""The numbers that this process keeps for Prometheus, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from service.actions.backlog import Backlog, Queue
from service.actions.ladder import Tally

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"})


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "xiaohao_requests_total", "Requests by route and status.", ["method", "route", "status"],
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "xiaohao_request_seconds", "Time to answer, by route.", ["method", "route"], buckets=BUCKETS,
            registry=self.registry,
        )  # fmt: skip

        self._looks = Counter("xiaohao_looks_total", "Items that the clock looked at.", registry=self.registry)
        self._failed = Counter(
            "xiaohao_looks_failed_total", "Items that a look of the clock failed at; it tries again in ten minutes.",
            registry=self.registry,
        )  # fmt: skip
        self._passed = Counter(
            "xiaohao_deadlines_passed_total", "Deadlines whose passing was noticed.", registry=self.registry
        )
        self._rescheduled = Counter(
            "xiaohao_items_rescheduled_total", "Items whose days moved with the calendar.", registry=self.registry
        )
        self._forwarded = Counter(
            "xiaohao_replanned_total", "Items brought forward after a change of policy or calendar.",
            registry=self.registry,
        )  # fmt: skip
        self._fired = Counter(
            "xiaohao_rungs_fired_total", "Rungs fired, by action.", ["action"], registry=self.registry
        )
        self._skipped = Counter(
            "xiaohao_rungs_skipped_total", "Rungs skipped, by reason.", ["why"], registry=self.registry
        )
        self._notices = Counter("xiaohao_notices_total", "Notices made by the clock.", registry=self.registry)
        self._uploads = Counter("xiaohao_attachments_total", "Attachments uploaded.", registry=self.registry)
        self._uploaded = Counter(
            "xiaohao_attachment_received_bytes_total", "Bytes of attachments uploaded.", registry=self.registry
        )
        self._kept = Gauge(
            "xiaohao_attachment_stored_bytes", "Bytes of attachments that all tenants keep.", registry=self.registry
        )
        self._queues = {
            "clock": self._queue("clock", "Items that wait for a look"),
            "sequencer": self._queue("sequencer", "Events that wait for their position"),
            "courier": self._queue("courier", "Deliveries that wait to be sent"),
            "figures": self._queue("figures", "Events that the figures do not count yet, or not in their sums"),
        }
        self._dead = Gauge(
            "xiaohao_deliveries_dead", "Deliveries that were given up, replayed since or not.", registry=self.registry
        )
        self._replans = Gauge(
            "xiaohao_replans", "Changes of policy or calendar that items are still planned by.", registry=self.registry
        )
        self._connections = Gauge(
            "xiaohao_database_connections", "Connections to the database that this process has open.",
            ["pool", "state"], registry=self.registry,
        )  # fmt: skip

    def _queue(self, worker: str, what: str) -> tuple[Gauge, Gauge]:
        return (
            Gauge(f"xiaohao_{worker}_backlog", f"{what}.", registry=self.registry),
            Gauge(
                f"xiaohao_{worker}_lag_seconds", f"{what}: for how long the first of them has.", registry=self.registry
            ),
        )

    def count(self, tally: Tally) -> None:
        """What a round of the clock in this process did."""
        self._looks.inc(tally.looked)
        self._failed.inc(tally.failed)
        self._passed.inc(tally.passed)
        self._rescheduled.inc(tally.rescheduled)
        self._forwarded.inc(tally.forwarded)
        self._notices.inc(tally.notices)
        for action, count in tally.fired.items():
            self._fired.labels(action).inc(count)
        for why, count in tally.skipped.items():
            self._skipped.labels(why).inc(count)

    def received(self, size: int) -> None:
        """An attachment came in through this process."""
        self._uploads.inc()
        self._uploaded.inc(size)

    def kept(self, stored: int) -> None:
        """The bytes that lie in the store, whichever process put them there."""
        self._kept.set(stored)

    def waiting(self, found: Backlog) -> None:
        """What waits for a worker, whichever process it runs in."""
        for worker, (length, lag) in self._queues.items():
            queue: Queue = getattr(found, worker)
            length.set(queue.length)
            lag.set(queue.lag)
        self._dead.set(found.dead)
        self._replans.set(found.replans)

    def connected(self, pools: dict[str, tuple[int, int]]) -> None:
        """By pool how many connections are in use, and how many stand idle."""
        for pool, (used, idle) in pools.items():
            self._connections.labels(pool, "used").set(used)
            self._connections.labels(pool, "idle").set(idle)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request. `route` is the template, never the path: ids would be a label each."""
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)
