"""A connection whose request heads have a bound: the server by itself collects request line and headers for ever."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 65_536
"""Of one request's line and headers; not counted are the pieces in which they begin and end, 256 KiB at most."""

TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 34\r\nconnection: close\r\n\r\n"
    b"The head of the request is too big"
)


class Connection(HttpToolsProtocol):
    """Closes with 431 when a head does not end. Nothing that is read later is looked at."""

    _unfinished: int | None = 0
    """Bytes of a head that has not ended; None within a body."""
    _piece = 0

    def data_received(self, data: bytes) -> None:
        self._piece = len(data)
        super().data_received(data)
        if self._unfinished is None or self.transport.is_closing():
            return
        self._unfinished += self._piece
        if self._unfinished > HEAD_BYTES:
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        # What comes before it in this piece is the end of another request.
        self._unfinished = -self._piece
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._unfinished = None
        super().on_headers_complete()
