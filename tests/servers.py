"""A real server in a process of its own: `xiaohao serve` on a free port of 127.0.0.1, to be stopped, killed, restarted.

It sees nothing of whoever runs the tests: its home and its data lie in a test's directory, and of the environment it
gets only what is named here. Start it in the main thread: on Linux it ends with the thread that started it.
"""

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from service.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-c", "from service.cli import main; main()")

READY_WITHIN = 180
STOP_WITHIN = 30
PORTS_TRIED = 5
PORTS = range(20_000, 32_000)
"""Below those that systems give to outgoing connections: of these one may be taken until a server is up."""

UNENCRYPTED: dict[str, Any] = {"trust_env": False, "verify": False}
"""Options of a client on this machine: reading the machine's certificates takes its time."""


class NotReady(Exception):
    """The server did not come up; the text is what it wrote."""


class Server:
    """One server on the database of `settings`; started and killed as often as a test likes, on the same data.

    `more` are further settings by name: `shutdown_seconds="1"` becomes XIAOHAO_SHUTDOWN_SECONDS.
    """

    options: tuple[str, ...] = ()
    """Further options of `serve`, for a subclass to name."""

    def __init__(self, settings: Settings, home: Path, **more: str) -> None:
        self.settings = settings
        self.home = home
        self.admin_key = secrets.token_urlsafe(32)
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._more = more

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the server wrote, every start of it."""
        path = self.home / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def environment(self) -> dict[str, str]:
        given = {
            "database_url": self.settings.database_url,
            "data_dir": str(self.settings.data_dir),
            "pool_size": str(self.settings.pool_size),
            "admin_key": self.admin_key,
            "log_level": "warning",
            "workers_inside": str(self.settings.workers_inside).lower(),
            **self._more,
        }
        # Nothing is a value here, where it means "no limit".
        limits = {"rate_limit": self.settings.rate_limit, "tenant_rate_limit": self.settings.tenant_rate_limit}
        given = {name: value for name, value in given.items() if value} | limits | self._more
        return {
            "HOME": str(self.home),
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            **{PREFIX + name.upper(): value for name, value in given.items()},
        }

    def start(self) -> "Server":
        """Start it and wait until /readyz answers 200. Raises NotReady."""
        assert self.process is None, "it is running"
        self.home.mkdir(parents=True, exist_ok=True)
        for _ in range(PORTS_TRIED):
            self.port = free_port()
            self._launch()
            if self._becomes_ready():
                return self
            self.kill()
            if "address already in use" not in self.log:  # somebody took the port in between: another one
                break
        raise NotReady(self.log[-4000:])

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and wait until it has; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_WITHIN)
        finally:
            self.kill()
        return status

    def kill(self) -> None:
        """End it at once (SIGKILL), whatever it is doing; nothing where it does not run."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _launch(self) -> None:
        with (self.home / "server.log").open("ab") as output:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", *self.options, "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.home,
                env=self.environment(),
                # Ctrl-C is for the tests: they end first and kill the server themselves.
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )

    def _becomes_ready(self) -> bool:
        assert self.process is not None
        gives_up = time.monotonic() + READY_WITHIN
        with httpx.Client(base_url=self.url, timeout=5, **UNENCRYPTED) as client:
            while self.process.poll() is None and time.monotonic() < gives_up:
                try:
                    if client.get("/readyz").status_code == 200:
                        # Whoever answered there may be another that took the port; ours would have ended by now.
                        return self.process.poll() is None
                except httpx.TransportError:
                    pass
                time.sleep(0.05)
        return False

    def client(self, key: str | None = None, **options: Any) -> httpx.AsyncClient:
        """A client with the admin's key unless told otherwise."""
        return httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key or self.admin_key}"},
            timeout=60,
            **UNENCRYPTED,
            # An idle connection is given up before the server does so: a request must not meet its closing.
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=200, keepalive_expiry=2),
            **options,
        )


class Worker:
    """A worker in a process of its own, on the database of a server's settings, to be killed and started anew."""

    UP = "up"
    """A file that it leaves when it has got so far as to begin."""

    COMMAND = (
        *COMMAND[:2],
        "import pathlib; from service import settings; from service.api.metrics import Metrics; "
        "from service.cli import serving, terminal; "
        f"pathlib.Path('{UP}').touch(); terminal.run(serving._work(settings.load(), Metrics()))",
    )
    """What `xiaohao worker` runs, here also on SQLite."""

    def __init__(self, server: Server, home: Path) -> None:
        self._server, self._home = server, home
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Worker":
        self._home.mkdir(parents=True, exist_ok=True)
        (self._home / self.UP).unlink(missing_ok=True)
        with (self._home / "log").open("ab") as output:
            self._process = subprocess.Popen(
                self.COMMAND, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self._home,
                env=self._server.environment(), preexec_fn=end_with_parent(),
            )  # fmt: skip
        return self

    @property
    def up(self) -> bool:
        """Whether it is at work. It never ends by itself."""
        assert self._process is not None and self._process.poll() is None, (self._home / "log").read_text()[-4000:]
        return (self._home / self.UP).exists()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def free_port() -> int:
    """A port that nobody listens at."""
    while True:
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", secrets.choice(PORTS)))
            return int(listener.getsockname()[1])


def end_with_parent(by: signal.Signals = signal.SIGKILL) -> Callable[[], None] | None:
    """On Linux: a process ends with the one that started it, even where that was killed and can end nothing."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    set_parent_death_signal = 1

    def before_exec() -> None:
        libc.prctl(set_parent_death_signal, by)

    return before_exec
