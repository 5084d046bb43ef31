"""Counts that all replicas share, in Redis. With Redis away nothing is counted and everybody is let through."""

import time

import structlog
from limits.aio.storage import RedisStorage
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

ANSWER_WITHIN = 0.25
"""Seconds that a request waits for Redis at most."""

ASK_AGAIN_AFTER = 5.0
"""Seconds in which a Redis that did not answer is left alone: else every request would wait for it."""

CONNECTIONS = 50
WARN_EVERY = 60.0

log = structlog.get_logger("xiaohao.limits")


class Shared:
    """Counts of one Redis, under `prefix`."""

    def __init__(self, url: str, prefix: str = "xiaohao") -> None:
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=ANSWER_WITHIN,
            socket_connect_timeout=ANSWER_WITHIN,
            socket_timeout=ANSWER_WITHIN,
            # The client's own retries would hold a request for seconds.
            retry=Retry(NoBackoff(), 0),
        )
        self._storage = RedisStorage(
            f"async+{url}",
            implementation="redispy",
            key_prefix=prefix,
            connection_pool=self._pool,  # type: ignore[arg-type]
        )
        self._ask_again_at = self._warn_again_at = float("-inf")

    async def hit(self, who: str, window: int, seconds: int) -> int | None:
        """How often `who` was counted in this window by all replicas; None where Redis does not say."""
        clock = time.monotonic()
        if clock < self._ask_again_at:
            return None
        try:
            return await self._storage.incr(f"{who}/{seconds}/{window}", seconds)
        except (RedisError, OSError) as error:
            self._ask_again_at = clock + ASK_AGAIN_AFTER
            if clock >= self._warn_again_at:
                self._warn_again_at = clock + WARN_EVERY
                log.warning("redis did not answer: requests are not counted", error=type(error).__name__)
            return None

    async def close(self) -> None:
        await self._pool.aclose()
