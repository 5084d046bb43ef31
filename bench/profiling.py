"""Where the time of a transition goes: the server in this process under cProfile, the load in another.

It counts processor time, so that waiting for the database and for other processes does not hide the rest.
"""

import asyncio
import cProfile
import io
import multiprocessing
import pstats
import time
from typing import Any

import uvicorn
import uvloop

from bench.load import Load
from bench.place import Place
from bench.server import free_port
from service import logs
from service.app import create_app
from service.store.sqlite import Sqlite

TRANSITIONS = 2_000
LINES = 40


def profile(place: Place, name: str = "transition") -> str:
    """The functions that took the most time of their own during about 2,000 requests of one kind."""
    port = free_port()
    writer = _profile_writer()
    profiler = cProfile.Profile(time.thread_time)
    uvloop.run(_serve(place, port, profiler, name))
    said = io.StringIO()
    statistics = pstats.Stats(profiler, stream=said)
    for each in writer:
        statistics.add(each)
    statistics.sort_stats("tottime").print_stats(LINES)
    return said.getvalue()


async def _serve(place: Place, port: int, profiler: cProfile.Profile, name: str) -> None:
    logs.configure("info", "json")
    app = create_app(place.settings)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, http="httptools", log_config=None, access_log=False)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn says it with a flag)
        await asyncio.sleep(0.05)
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=_drive, args=(place.settings, place.facts, port, name, ready, done))
    process.start()
    try:
        await asyncio.to_thread(ready.wait)
        profiler.enable()
        await asyncio.to_thread(done.wait)
        profiler.disable()
        await asyncio.to_thread(process.join)
    finally:
        if process.is_alive():
            process.terminate()
        server.should_exit = True
        await serving


def _drive(settings: Any, facts: Any, port: int, name: str, ready: Any, done: Any) -> None:
    """In a process of its own: a second to warm up, then as long as the profile wants."""
    load = Load(Place(settings, facts, lambda: None), port)
    try:
        warm = load.measure(name, 1)
        ready.set()
        load.measure(name, TRANSITIONS / max(100.0, warm.rate) * 2)
    finally:
        ready.set()
        done.set()


def _profile_writer() -> list[cProfile.Profile]:
    """On SQLite actions run in the writer's thread, which needs a profile of its own."""
    profiles: list[cProfile.Profile] = []
    write_for_ever = Sqlite._write_for_ever

    def profiled(*given: Any) -> None:
        profiles.append(cProfile.Profile(time.thread_time))
        profiles[-1].runcall(write_for_ever, *given)

    Sqlite._write_for_ever = profiled  # type: ignore[method-assign]
    return profiles
