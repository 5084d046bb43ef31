"""An item with a whole life behind it, in which every text is one of a kind, to be looked for afterwards."""

import itertools
from collections import defaultdict
from typing import Any

import httpx

from service.workflow.erasure import Erasable
from tests.api.helpers import VERIFIED, day, match, ok, read
from tests.evidence import photo, upload
from tests.world import World

_rare = itertools.cycle(chr(code) for code in range(0x3400, 0x4DB0))
"""Characters that nothing else here uses; no two words have one in common."""

_of_files = itertools.cycle(chr(code) for code in range(0x20000, 0x2A6D0))
"""The same for what no search finds: the others do not last for these too."""

serial = itertools.count(1)


def word(field: Erasable | None = None) -> str:
    return "".join(itertools.islice(_of_files if field == Erasable.ATTACHMENTS else _rare, 6))


class Life:
    """`words` are the texts of the item and its record by the field that erases them; `twin` shares its notices."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.words: dict[Erasable, list[str]] = defaultdict(list)
        self.item: dict[str, Any] = {}
        self.twin: dict[str, Any] = {}
        self.clerk: httpx.AsyncClient
        self.town: httpx.AsyncClient

    @property
    def url(self) -> str:
        return f"/v1/items/{self.item['id']}"

    def say(self, field: Erasable) -> str:
        said = word(field)
        self.words[field].append(said)
        return said

    @classmethod
    async def lived(cls, world: World) -> "Life":
        life = cls(world)
        name = life.say(Erasable.ACTORS)
        life.clerk = world.with_key(await world.key("responsible", "t1v1", name))
        life.town = await world.person("supervisor", "t1")
        await life._list()
        await life._work()
        await life._talk()
        await life._end()
        return life

    async def post(self, by: httpx.AsyncClient, url: str, status: int = 200, **body: Any) -> Any:
        """Under a key, so that the answer is kept."""
        return ok(await by.post(url, json=body, headers={"Idempotency-Key": f"life-{next(serial)}"}), status)

    async def upload(self, by: httpx.AsyncClient) -> str:
        """The id of a picture with a name that tells something; its bytes do too."""
        content = photo() + self.say(Erasable.ATTACHMENTS).encode()
        key = {"Idempotency-Key": f"life-{next(serial)}"}
        return str((await upload(by, content, f"{self.say(Erasable.ATTACHMENTS)}.jpg", **key))["id"])

    async def fire(self, by: httpx.AsyncClient, trigger: str, **given: Any) -> None:
        self.item = await self.post(by, f"{self.url}/transitions", trigger=trigger, **given)

    async def _list(self) -> None:
        """The second of a batch, so that the kept answer is another's."""
        say, plain = self.say, {"ledger": "default", "responsible_unit": "t1v1"}
        told = {
            "title": say(Erasable.TITLE),
            "description": say(Erasable.DESCRIPTION),
            "category": say(Erasable.CATEGORY),
            "external_ref": say(Erasable.EXTERNAL_REF),
            "source": {"kind": "petition", "ref": say(Erasable.SOURCE_REF), "contact": "匿名"},
            "responsible_person": say(Erasable.RESPONSIBLE_PERSON),
            "goal": say(Erasable.GOAL),
            "measures": say(Erasable.MEASURES),
            "deadline": {"kind": "date", "due_on": day(60), "text": say(Erasable.DEADLINE_TEXT)},
            "labels": [say(Erasable.LABELS)],
            "attributes": {say(Erasable.ATTRIBUTES): say(Erasable.ATTRIBUTES), "half": 1.50, "none": -0.5},
        }
        pair = [{**plain, "title": "另一条"}, {**plain, **told}]
        self.twin, self.item = (await self.post(self.world.admin, "/v1/items/batch", 201, items=pair))["items"]
        for change in (
            {"title": say(Erasable.TITLE)},
            {"labels": [say(Erasable.LABELS)]},
            {"description": "改为公开说法"},
        ):
            self.item = ok(await self.world.admin.patch(self.url, json=change, headers=match(self.item)))

    async def _work(self) -> None:
        say = self.say
        await self.fire(self.clerk, "claim", signed_by=say(Erasable.SIGNATURES), measures=say(Erasable.MEASURES))
        photos = [await self.upload(self.clerk) for _ in range(3)]
        reported = {"text": say(Erasable.PROGRESS), "percent": 30, "attachment_ids": photos[:2]}
        await self.post(self.clerk, f"{self.url}/progress", 201, **reported)
        asked = {"kind": "extension", "due_on": day(80), "reason": say(Erasable.REQUESTS)}
        request = await self.post(self.clerk, f"{self.url}/requests", 201, **asked)
        await self.post(self.world.admin, f"/v1/requests/{request['id']}/decision", verdict="approve")
        request = await self.post(
            self.clerk, f"{self.url}/requests", 201, kind="closure", summary=say(Erasable.REQUESTS),
            attachment_ids=photos[2:],
        )  # fmt: skip
        await self.post(
            self.town, f"/v1/requests/{request['id']}/decision", verdict="return", reason=say(Erasable.REQUESTS)
        )
        about = {"kind": "urging", "unit": "t1v1", "item_ids": [self.twin["id"], self.item["id"]]}
        notice = await self.post(self.town, "/v1/notices", 201, **about, text=say(Erasable.NOTICES))
        signed = {"signed_by": say(Erasable.SIGNATURES)}
        await self.post(self.clerk, f"/v1/notices/{notice['id']}/receipt", **signed)
        notice = await self.post(self.town, "/v1/notices", 201, **about, text=say(Erasable.NOTICES))
        await self.post(self.town, f"/v1/notices/{notice['id']}/cancel", reason=say(Erasable.NOTICES))

    async def _talk(self) -> None:
        """Held about both items at once."""
        say = self.say
        await self.fire(self.town, "escalate", reason=say(Erasable.REASONS))
        twins = f"/v1/items/{self.twin['id']}/transitions"
        self.twin = await self.post(self.town, twins, trigger="escalate", reason="逾期")
        talk = f"/v1/interviews/{self.item['interview_id']}"
        at = {"at": "2190-01-05T01:30:00Z", "place": say(Erasable.INTERVIEWS)}
        await self.post(self.town, f"{talk}/schedule", **at)
        said = {
            "held_on": day(0), "attendees": ["王强"], "minutes": say(Erasable.INTERVIEWS), "commitments": None,
        }  # fmt: skip
        await self.post(self.town, f"{talk}/record", **said | {"attendees": [say(Erasable.INTERVIEWS)]})
        await self.fire(self.town, "resume", due_on=day(20))

    async def _end(self) -> None:
        say = self.say
        await self.fire(self.town, "escalate", reason="又逾期")
        talks = [self.twin["interview_id"], self.item["interview_id"]]
        # Of two at once the kept answer is the other's again; here with where it was to be.
        place = {"at": "2190-01-05T01:30:00Z", "place": say(Erasable.INTERVIEWS)}
        await self.post(self.town, f"/v1/interviews/{talks[1]}/schedule", **place)
        said = {"interview_ids": talks, "held_on": day(0), "attendees": ["王强"], "minutes": "责成整改"}
        await self.post(self.town, "/v1/interviews/record", **said)
        await self.fire(self.town, "resume", due_on=day(30))
        await self.fire(self.town, "escalate", reason="第三次")
        closed = {"verification": VERIFIED | {"note": say(Erasable.NOTES)}, "waive_interview": say(Erasable.REASONS)}
        await self.fire(self.town, "close", **closed)
        self.item = await read(self.world.admin, self.url)

    async def redact(self, *fields: str, by: httpx.AsyncClient | None = None, **headers: str) -> httpx.Response:
        body = {"fields": fields, "reason": "当事人申请"}
        return await (by or self.world.admin).post(f"{self.url}/redactions", json=body, headers=headers)

    async def history(self) -> list[dict[str, Any]]:
        return (await read(self.world.admin, f"{self.url}/events", limit=200))["items"]  # type: ignore[no-any-return]
