"""Chores that do not depend on each other: one that fails keeps none of the others from their turn."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def in_turn(chores: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """What came of each. Raises an ExceptionGroup of what failed, once every one has had its turn."""
    done: list[T] = []
    failed: list[Exception] = []
    for chore in chores:
        try:
            done.append(await chore())
        except ExceptionGroup as failures:
            # Of chores that are made of chores.
            failed += failures.exceptions
        except Exception as failure:
            failed.append(failure)
    if failed:
        raise ExceptionGroup("chores failed", failed)
    return done
