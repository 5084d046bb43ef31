"""Which part of a file is asked for (RFC 9110, 14): one range of bytes, or the whole."""

import re
from dataclasses import dataclass

from service.errors import Refused

_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """`length` bytes from `start` on."""

    start: int
    length: int

    def of(self, size: int) -> str:
        """As Content-Range says it."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


def part(asked: str | None, size: int) -> Part | None:
    """The part of `size` bytes that a Range names; None where the whole is to be sent.

    What is no range of bytes, and several ranges at once, may be answered with the whole, and are. Refuses
    `range_not_satisfiable`.
    """
    found = _RANGE.fullmatch(asked) if asked is not None else None
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        start = size - length
    else:
        start = int(first)
        if last and int(last) < start:
            return None
        length = min(int(last) + 1 if last else size, size) - start
    if length <= 0:
        raise Refused("range_not_satisfiable", facts={"size": size})
    return Part(start, length)
