"""The real server in a process of its own, as `xiaohao serve` starts it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.settings import PREFIX, Settings

START_WITHIN, STOP_WITHIN = 60, 20


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    port: int
    pid: int

    def cpu_seconds(self) -> float | None:
        """Processor time that it has used; None where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(settings: Settings) -> Iterator[Served]:
    """Run the server. What it logs goes to a file beside its data."""
    port = free_port()
    log = settings.data_dir / "server.log"
    given = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given |= {f"{PREFIX}DATA_DIR": str(settings.data_dir), f"{PREFIX}DATABASE_URL": settings.database_url}
    # A load must meet the service, not its limits.
    given |= {f"{PREFIX}RATE_LIMIT": "", f"{PREFIX}TENANT_RATE_LIMIT": ""}
    given |= {f"{PREFIX}WORKERS_INSIDE": str(settings.workers_inside).lower()}
    command = [sys.executable, "-c", "from service.cli import main; main()", "serve", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=given, cwd=Path(__file__).parents[1], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        _await(process, port, log)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + START_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > give_up:
                said = log.read_text(errors="replace")[-2000:]
                raise SystemExit(f"the server did not start: {said}") from None
            time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
