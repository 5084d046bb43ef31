"""A port in front of a server that a test does not own: it can be cut and opened again."""

import asyncio
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """A port before a server, which can be cut."""

    def __init__(self, url: str) -> None:
        self._there = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def url(self) -> str:
        user, _, _ = self._there.netloc.rpartition("@")
        host = f"127.0.0.1:{self._port}"
        return urlunsplit(self._there._replace(netloc=f"{user}@{host}" if user else host))

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, beyond = await asyncio.open_connection(self._there.hostname, self._there.port or 5432)
        self._writers += [writer, beyond]
        await asyncio.gather(self._pass(reader, beyond), self._pass(there, writer))

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        except OSError:
            pass
        finally:
            target.close()
