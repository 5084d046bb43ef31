"""One connection over which webhooks go out: HTTP/1.1 as h11 speaks it, a request and its answer at a time.

Of an answer no more than its beginning is read. A connection that did not come to a clean end is of no further use.
"""

import asyncio
import codecs
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import h11

from service.workflow.delivery import MAX_ANSWER, Failure, Outcome

KEPT_SECONDS = 4.0
"""An idle connection is given up before the usual server does so (5 s)."""

LIVES_SECONDS = 60.0
"""An older connection is not kept: the name is looked up and judged again."""

_CODECS = {"gbk": "gb18030", "gb2312": "gb18030", "gb18030": "gb18030", "big5": "big5", "iso-8859-1": "latin-1"}
"""Character sets of answers, beside UTF-8. No codec is chosen by a name that somebody else made up."""


@dataclass(slots=True)
class Answer:
    """What has come so far, and what went wrong, if anything did."""

    status: int | None = None
    failure: str | None = None
    retry_after: str | None = None
    content_type: str = ""
    beginning: bytes = b""
    size: int = 0

    @property
    def enough(self) -> bool:
        return self.size >= MAX_ANSWER

    def begin(self, head: h11.Response) -> None:
        self.status = head.status_code
        for name, value in head.headers:
            if name == b"retry-after":
                self.retry_after = value.decode("latin-1")[:100]
            elif name == b"content-type":
                self.content_type = value.decode("latin-1")

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self.beginning += bytes(data[: MAX_ANSWER - len(self.beginning)])

    def outcome(self, latency_ms: int) -> Outcome:
        return Outcome(self.status, self.failure, latency_ms, self._text(), self.retry_after)

    def _text(self) -> str:
        """Without NUL, which not every database takes, and without half a character where the rest was not read."""
        charset = self.content_type.lower().partition("charset=")[2].partition(";")[0].strip(' "')
        decoder = codecs.getincrementaldecoder(_CODECS.get(charset, "utf-8"))("replace")
        return decoder.decode(self.beginning, final=not self.enough).replace("\0", "\ufffd")


class Connection(asyncio.Protocol):
    """A connection and the exchanges on it, one after the other. `clock` gives the loop's time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._http = h11.Connection(h11.CLIENT)
        self._answer = Answer()
        self._waiting: asyncio.Future[str | None] | None = None
        self._made = self._left = clock()
        self.heard = False
        """Whether anything came since the last request."""

    async def post(self, request: h11.Request, body: bytes, answer: Answer) -> None:
        """Send a request and fill in its answer; where it breaks off, `answer.failure` says how."""
        if self._transport.is_closing():
            answer.failure = Failure.CLOSED
            return
        if self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
        self._answer, self.heard = answer, False
        self._waiting = asyncio.get_running_loop().create_future()
        parts = (self._http.send(each) for each in (request, h11.Data(body), h11.EndOfMessage()))
        self._transport.write(b"".join(part for part in parts if part))
        answer.failure = await self._waiting

    def leave(self) -> bool:
        """The exchange is over; whether the connection may be kept for another."""
        self._left = self._clock()
        clean = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        emptied = not self._http.trailing_data[0] and not self._transport.get_write_buffer_size()
        return clean and emptied and self.serves()

    def serves(self) -> bool:
        """Whether a connection that was kept may be used now."""
        now = self._clock()
        young = now - self._left < KEPT_SECONDS and now - self._made < LIVES_SECONDS
        return young and not self._transport.is_closing()

    def close(self) -> None:
        """At once: who does not read what we have sent shall not keep us by it."""
        self._transport.abort()

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._waiting.done():
            # Nobody asked; the next request must not take it for its answer.
            self.close()
            return
        self.heard = True
        self._http.receive_data(data)
        self._read(Failure.PROTOCOL)

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is None or self._waiting.done():
            return
        if error is None:
            # Where an answer says nothing of its length, this is its end.
            self._http.receive_data(b"")
            self._read(Failure.CLOSED)
        self._settle(Failure.CLOSED)

    def _read(self, broken: Failure) -> None:
        """Read what has come; `broken` is what it is called if it is no answer."""
        try:
            while True:
                event = self._http.next_event()
                if isinstance(event, h11.Response):
                    self._answer.begin(event)
                elif isinstance(event, h11.Data):
                    self._answer.add(event.data)
                    if self._answer.size > MAX_ANSWER:
                        break
                elif isinstance(event, h11.EndOfMessage):
                    break
                elif not isinstance(event, h11.InformationalResponse):
                    if self._answer.enough:
                        break
                    return
        except h11.RemoteProtocolError:
            self._settle(broken)
        else:
            self._settle(None)

    def _settle(self, failure: Failure | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(failure)
