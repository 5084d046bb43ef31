"""A county and its people before their browsers."""

from dataclasses import dataclass

import httpx
import pytest

from tests.console.desk import Desk
from tests.world import World


@dataclass
class Seat:
    """One person: before a browser, and as a client of the API with the same key."""

    key: str
    desk: Desk
    api: httpx.AsyncClient


@dataclass
class People:
    admin: Seat
    supervisor: Seat
    other: Seat
    town: Seat
    village: Seat
    viewer: Seat
    platform: Seat


async def seat(world: World, role: str, unit: str = "root") -> Seat:
    key = await world.key(role, unit)
    return Seat(key, await Desk.of(world, key), world.with_key(key))


@pytest.fixture(scope="module")
async def people(world: World) -> People:
    return People(
        admin=await seat(world, "admin"),
        supervisor=await seat(world, "supervisor"),
        other=await seat(world, "supervisor"),
        town=await seat(world, "supervisor", "t1"),
        village=await seat(world, "responsible", "t1v1"),
        viewer=await seat(world, "viewer"),
        platform=await seat(world, "platform"),
    )
