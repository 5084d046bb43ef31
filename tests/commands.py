"""The xiaohao command within this process: all of it but the start of Python, which takes seconds.

That it starts by itself is shown where it is started: by every server of these tests, and in tests/cli/test_verify.py.
"""

import functools
import io
import os
import sys
import threading
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import structlog

from service import cli, logs


@dataclass(frozen=True, slots=True)
class Done:
    """What it came to: exit status, and all that was said."""

    returncode: int
    stdout: str
    stderr: str


def xiaohao(environment: Mapping[str, str], home: Path, *words: object) -> Done:
    """Run it with this environment alone, in a directory. In a thread, because it brings an event loop of its own."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    status: list[int] = []

    def run() -> None:
        try:
            cli.main()
            status.append(0)
        except SystemExit as end:
            status.append(end.code if isinstance(end.code, int) else 1)

    home.mkdir(exist_ok=True)
    logging, passing = structlog.get_config(), functools.partial(logs.configure, lasting=False)
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "argv", ["xiaohao", *map(str, words)]),
        mock.patch.object(logs, "configure", passing),
        chdir(home),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    structlog.configure(**logging)
    assert status, "it raised what no operator should see:\n" + _said(err)
    return Done(status[0], _said(out), _said(err))


def _said(stream: io.TextIOWrapper) -> str:
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined, no-any-return]
