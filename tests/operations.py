"""Operations of mixed work on items, requests, notices and interviews, drawn from a seed and from what is known.

Each carries a mark of its own in a text that its event keeps.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.checks.records import answered_with
from tests.world import TREE

ZONE = ZoneInfo("Asia/Shanghai")
UNITS = [code for code, *_ in TREE]
PEOPLE = (
    ("admin", "root"),
    ("admin", "root"),
    ("supervisor", "root"),
    ("supervisor", "t1"),
    ("responsible", "root"),
    ("responsible", "t1v1"),
)
HOT = 25
"""Operations go to the newest items, so that callers meet on the same ones."""

SAMPLE = "标"


@dataclass
class Operation:
    """One request, and what came back; `done` counts the events that it writes when it succeeds."""

    number: int
    person: int
    method: str
    path: str
    body: dict[str, Any]
    done: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    answer: Any = None

    @property
    def mark(self) -> str:
        return mark(self.number)

    @property
    def acknowledged(self) -> bool:
        return self.status in (200, 201)

    @property
    def may_lose_sight(self) -> bool:
        """Whether what this caller did may be out of its scope later: then a retry is told that nothing is there."""
        return PEOPLE[self.person][1] != "root"

    @property
    def retriable(self) -> bool:
        return "Idempotency-Key" in self.headers


def mark(number: int) -> str:
    return f"{SAMPLE}{number}号"


class Drawing:
    """What is known, from answers, and what might be done next about it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.known: dict[str, dict[str, Any]] = {}
        """The latest answer about each item."""
        self.requests: dict[str, dict[str, Any]] = {}
        self.notices: dict[str, dict[str, Any]] = {}
        """The same of requests, and of notices by hand."""
        self.today = datetime.now(UTC).astimezone(ZONE).date()

    def learn(self, each: dict[str, Any]) -> None:
        match answered_with(each):
            case "items":
                self.known[each["id"]] = each
            case "requests":
                self.requests[each["id"]] = each
            case "notices":
                self.notices[each["id"]] = each
            case "interviews" if each["state"] == "recorded" and each["item_id"] in self.known:
                self.known[each["item_id"]]["allowed_triggers"] = ["resume", "close"]

    def draw(self, number: int) -> Operation:
        kinds = {
            self._create: 9, self._batch: 1, self._unit: 1, self._progress: 12, self._correct: 6, self._record: 6,
            self._schedule: 3, self._ask: 14, self._decide: 8, self._withdraw: 4, self._notify: 4, self._sign: 3,
            self._cancel: 2, self._move: 50,
        }  # fmt: skip
        kind = self.random.choices(list(kinds), weights=list(kinds.values()))[0]
        if not self.known:
            kind = self._create
        operation = Operation(number, 0, "POST", "", {})
        kind(operation)
        if operation.method == "POST":
            operation.headers["Idempotency-Key"] = f"key-{operation.number}"
        return operation

    def _person(self, operation: Operation) -> None:
        operation.person = self.random.choices(range(len(PEOPLE)), weights=(6, 6, 3, 1, 2, 1))[0]

    def _item(self) -> dict[str, Any]:
        return self.known[self.random.choice(list(self.known)[-HOT:])]

    def _day(self, first: int, last: int) -> str:
        return (self.today + timedelta(days=self.random.randint(first, last))).isoformat()

    def _listing(self, text: str) -> dict[str, Any]:
        responsible, *co_units = self.random.sample(UNITS, self.random.choice((1, 1, 1, 2, 3)))
        body: dict[str, Any] = {
            "ledger": "default", "title": f"饮水管网漏损 {text}", "responsible_unit": responsible, "co_units": co_units,
        }  # fmt: skip
        match self.random.randrange(5):
            case 0:
                body["due_on"] = self._day(-5, 30)
            case 1:
                body["deadline"] = {"kind": self.random.choice(("immediate", "standing"))}
            case 2:
                body["severity"] = "critical"
        return body

    def _create(self, operation: Operation) -> None:
        operation.person = self.random.randrange(2)
        operation.path, operation.body = "/v1/items", self._listing(operation.mark)

    def _batch(self, operation: Operation) -> None:
        operation.person, operation.done = self.random.randrange(2), 3
        operation.path, operation.body = "/v1/items/batch", {"items": [self._listing(operation.mark) for _ in range(3)]}

    def _unit(self, operation: Operation) -> None:
        """No event tells of a unit yet; it stirs the tree from which others derive their rows."""
        operation.done = 0
        operation.path = "/v1/units"
        operation.body = {
            "code": f"v{operation.number}", "name": operation.mark, "parent": "t2", "level": "village",
        }  # fmt: skip

    def _progress(self, operation: Operation) -> None:
        self._person(operation)
        operation.path = f"/v1/items/{self._item()['id']}/progress"
        operation.body = {"text": f"已更换管道 {operation.mark}", "percent": self.random.randint(0, 100)}

    def _correct(self, operation: Operation) -> None:
        self._person(operation)
        item = self._item()
        operation.method, operation.path = "PATCH", f"/v1/items/{item['id']}"
        operation.headers["If-Match"] = f'"{item["version"]}"'
        operation.body = {"responsible_person": f"李明 {operation.mark}"}
        if self.random.random() < 0.3:
            operation.body["title"] = self.random.choice(("道路塌陷", "饮水管网漏损", "垃圾清运不及时"))

    def _record(self, operation: Operation) -> None:
        """The minutes of a talk are in no event, only their digest: such an operation is counted by its interview."""
        operation.done = 0
        talks = [item["interview_id"] for item in list(self.known.values())[-HOT:] if item["interview_id"]]
        if not talks:
            self._progress(operation)
            operation.done = 1
            return
        operation.person = self.random.randrange(3)
        operation.path = f"/v1/interviews/{self.random.choice(talks)}/record"
        operation.body = {"held_on": self._day(0, 0), "attendees": ["李明"], "minutes": operation.mark}

    def _schedule(self, operation: Operation) -> None:
        talks = [item["interview_id"] for item in list(self.known.values())[-HOT:] if item["interview_id"]]
        if not talks:
            self._progress(operation)
            return
        operation.person = self.random.randrange(3)
        operation.path = f"/v1/interviews/{self.random.choice(talks)}/schedule"
        operation.body = {"at": f"{self._day(1, 5)}T02:00:00Z", "place": operation.mark}

    def _ask(self, operation: Operation) -> None:
        operation.person = self.random.choice((0, 4, 4, 5))
        operation.path = f"/v1/items/{self._item()['id']}/requests"
        match self.random.choice(("extension", "closure", "closure", "transfer")):
            case "extension":
                operation.body = {"kind": "extension", "due_on": self._day(1, 50), "reason": operation.mark}
            case "closure":
                operation.body = {"kind": "closure", "summary": operation.mark}
            case _:
                operation.body = {"kind": "transfer", "reason": operation.mark}
                if self.random.random() < 0.5:
                    operation.body["responsible_unit"] = self.random.choice(UNITS)

    def _pending(self) -> dict[str, Any] | None:
        pending = [each for each in self.requests.values() if each["status"] == "pending"][-HOT:]
        return self.random.choice(pending) if pending else None

    def _decide(self, operation: Operation) -> None:
        """An approval writes two events: what was decided, and what it fired."""
        request = self._pending()
        if request is None:
            self._ask(operation)
            return
        operation.person = self.random.choice((0, 1, 1, 2))
        operation.path = f"/v1/requests/{request['id']}/decision"
        if self.random.random() < 0.4:
            operation.body = {"verdict": "return", "reason": operation.mark}
            return
        operation.done = 2
        operation.body = {"verdict": "approve", "reason": operation.mark}
        if request["kind"] == "closure":
            operation.body |= self._input("close", operation.mark)
        elif request["kind"] == "transfer":
            operation.body["responsible_unit"] = self.random.choice(UNITS)

    def _withdraw(self, operation: Operation) -> None:
        request = self._pending()
        if request is None:
            self._ask(operation)
            return
        operation.person = self.random.choice((0, 4))
        operation.path = f"/v1/requests/{request['id']}/withdrawal"
        operation.body = {"reason": operation.mark}

    def _notify(self, operation: Operation) -> None:
        """About one or two items of one unit; each has the notice's event."""
        item = self._item()
        alike = [
            each["id"] for each in self.known.values()
            if all(each[name] == item[name] for name in ("responsible_unit_id", "supervising_unit_id", "ledger_id"))
            and each["state"] != "closed" and each["id"] != item["id"]
        ]  # fmt: skip
        covered = [item["id"], *(self.random.sample(alike, 1) if alike and self.random.random() < 0.5 else [])]
        operation.person, operation.done = self.random.randrange(3), len(covered)
        operation.path = "/v1/notices"
        operation.body = {
            "kind": self.random.choice(("reminder", "urging", "urging", "supervision", "warning", "circular")),
            "unit_id": item["responsible_unit_id"], "item_ids": covered, "text": operation.mark,
        }  # fmt: skip

    def _sign(self, operation: Operation) -> None:
        self._of_notice(operation, "receipt", {"signed_by": operation.mark})

    def _cancel(self, operation: Operation) -> None:
        self._of_notice(operation, "cancel", {"reason": operation.mark})

    def _of_notice(self, operation: Operation, verb: str, body: dict[str, Any]) -> None:
        if not self.notices:
            self._notify(operation)
            return
        notice = self.notices[self.random.choice(list(self.notices)[-HOT:])]
        operation.person, operation.done = self.random.choice((0, 0, 1, 4)), len(notice["item_ids"])
        operation.path, operation.body = f"/v1/notices/{notice['id']}/{verb}", body

    def _move(self, operation: Operation) -> None:
        self._person(operation)
        item = self._item()
        triggers = item["allowed_triggers"] or ["claim"]
        if self.random.random() < 0.2:
            triggers = ["claim", "extend", "close", "escalate", "resume", "transfer", "reopen", "annul"]
        # What needs a long way before it is taken when it can be; nothing follows an annulment.
        weights = {"reopen": 40, "resume": 15, "close": 4, "extend": 5, "annul": 0.5}
        trigger = self.random.choices(triggers, weights=[weights.get(each, 1.5) for each in triggers])[0]
        operation.path = f"/v1/items/{item['id']}/transitions"
        operation.body = {"trigger": trigger, **self._input(trigger, operation.mark)}
        if self.random.random() < 0.3:
            operation.headers["If-Match"] = f'"{item["version"]}"'

    def _input(self, trigger: str, text: str) -> dict[str, Any]:
        match trigger:
            case "claim":
                return {"signed_by": text, **({"measures": "更换老旧管道"} if self.random.random() < 0.5 else {})}
            case "extend":
                return {"due_on": self._day(1, 50), "reason": text}
            case "close":
                note = {"verification": {"method": "on_site", "on": self._day(-1, -1), "note": text}}
                return {**note, **({"waive_interview": "已整改"} if self.random.random() < 0.5 else {})}
            case "resume":
                return {"due_on": self._day(0, 50), "signed_by": text}
            case "transfer":
                return {"responsible_unit": self.random.choice(UNITS), "reason": text}
            case "reopen":
                return {"due_on": self._day(0, 50), "reason": text}
            case "annul":
                original = self._item()["id"]
                return {"reason": text, **({"duplicate_of": original} if self.random.random() < 0.5 else {})}
            case _:
                return {"reason": text}
