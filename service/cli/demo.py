"""The demo: an invented county with a past, and real ledgers that are worked on today."""

import json
import os
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx

from service import composition, logs, settings
from service.actions.tenants import Founded
from service.cli.founding import found
from service.cli.terminal import bring_up, cli, err, out, run
from service.demo import load as demo_load
from service.demo.desk import Desk
from service.settings import Settings


def show(present: Settings, founded: Founded) -> None:
    """Load the demo county where it is not there yet, and print its keys, which are kept beside the database."""
    keys_file = present.data_dir / "demo-keys.json"
    if founded.admin_key is not None:
        out.print("loading the demo county ...")
        _keep_keys(keys_file, {"admin": founded.admin_key})
        # Hundreds of requests that nobody outside made.
        logs.configure("warning", present.log_format, lasting=False)
        _keep_keys(keys_file, run(_load(present, founded.admin_key)))
        logs.configure(present.log_level, present.log_format)
    elif not keys_file.exists():
        err.print("the database is not fresh: no demo county was loaded")
        return
    for name, key in json.loads(keys_file.read_text()).items():
        out.print(f"{name}: {key}")


def _keep_keys(keys_file: Path, keys: dict[str, str]) -> None:
    descriptor = os.open(keys_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(keys, file, ensure_ascii=False, indent=1)


async def _load(present: Settings, admin_key: str) -> dict[str, str]:
    """The keys of the county's people, by name, once all is loaded."""
    now = datetime.now(UTC)
    async with composition.running(present) as service:
        keys = {"admin": admin_key, **await demo_load.load(service, now)}
    done = await _at_the_desk(present, keys, now)
    out.print(f"worked on the real ledgers: {', '.join(f'{often} {what}' for what, often in done.items())}")
    return keys


async def _at_the_desk(present: Settings, keys: dict[str, str], now: datetime) -> dict[str, int]:
    """What the demo's script does, by the API but without a port, and without workers, who would do some of it."""
    from service.app import create_app  # Only here, as in serving.

    app = create_app(present.model_copy(update={"workers_inside": False}))
    async with app.router.lifespan_context(app), AsyncExitStack() as open_clients:
        people = {}
        for name, key in keys.items():
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url="http://xiaohao",
                headers={"Authorization": f"Bearer {key}"},
            )
            people[name] = await open_clients.enter_async_context(client)
        return await Desk(people, now).work()


@cli.command()
def demo() -> None:
    """Load the demo county into a fresh database, and print its keys."""
    present = settings.load()
    bring_up(present)
    show(present, run(found(present)))
