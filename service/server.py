"""The application on a port."""

import socket
import sys

import uvicorn

from service.api.connection import Connection
from service.app import create_app
from service.composition import collect_less
from service.settings import Settings


class _Server(uvicorn.Server):
    """What was made up to here lives as long as the process."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        collect_less()


def run(present: Settings, host: str, port: int) -> None:
    """Serve until told to stop. The database must be migrated."""
    server = _Server(
        uvicorn.Config(
            create_app(present),
            host=host,
            port=port,
            loop="uvloop",
            http=Connection,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=present.shutdown_seconds,
            server_header=False,
            date_header=True,
        )
    )
    server.run()
    if not server.started:
        sys.exit(1)
