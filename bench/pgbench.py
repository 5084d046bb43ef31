"""The yardstick: pgbench running the transition's SQL against the same tables, without any of our Python.

`six` is the transaction as everyone would write it, a statement for each thing. `own` are the very texts that the
service sends for a claim, taken from the service as it runs one. Both pick odd items at random and leave states alone.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.place import Facts, Place, caller
from service import composition
from service.actions import transitions
from service.actions.service import Call, Receipt, Recorded
from service.actions.transitions import Move
from service.store.postgres import PostgresTx
from service.workflow.guards import Command

CLIENTS = 16
RESERVED = 1
"""The odd item whose claim is copied; its transaction is rolled back."""


def find() -> str | None:
    """The program, on the PATH or where Debian keeps it; None where it is not installed."""
    return shutil.which("pgbench") or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"), reverse=True)), None
    )


@dataclass(frozen=True, slots=True)
class Yardstick:
    program: str
    url: str
    scripts: dict[str, str]
    settings: str

    def measure(self, name: str, seconds: float) -> float:
        """Transactions a second of one script."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(self.scripts[name])
            script.flush()
            command = [self.program, "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-T", str(round(seconds)),
                       "-f", script.name, self.url]  # fmt: skip
            done = subprocess.run(
                command, env={**os.environ, "PGOPTIONS": self.settings}, capture_output=True, text=True, check=False
            )
        found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.M)
        failed = re.search(r"number of failed transactions: ([0-9]+)", done.stdout)
        if done.returncode or found is None or (failed and int(failed[1])):
            raise SystemExit(f"pgbench failed: {done.stderr[-1500:]} {done.stdout[-500:]}")
        return float(found[1])


def yardstick(place: Place, program: str) -> Yardstick:
    sent = asyncio.run(_record_claim(place))
    return Yardstick(
        program,
        place.settings.database_url,
        {"six": _six(place.facts, sent), "own": _own(place.facts, sent)},
        "-c jit=off -c plan_cache_mode=auto",
    )


# -- what the service sends

Sent = list[tuple[str, list[Any]]]


class _Recording(PostgresTx):
    """A transaction that notes every statement with its values."""

    def __init__(self, connection: Any, sent: Sent) -> None:
        super().__init__(_Noting(connection, sent), contended=False)


class _Noting:
    def __init__(self, connection: Any, sent: Sent) -> None:
        self._connection, self._sent = connection, sent

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._connection, name)
        if name not in ("fetch", "fetchrow", "fetchval", "execute"):
            return method

        async def noted(text: str, *values: Any) -> Any:
            self._sent.append((text, list(values)))
            return await method(text, *values)

        return noted


class _Undone(Exception):
    pass


async def _record_claim(place: Place) -> Sent:
    """Run the service's claim of one item inside a transaction that is rolled back, noting what it sends."""
    facts = place.facts
    sent: Sent = []
    now = datetime.now(UTC)
    async with composition.running(place.settings) as service:
        claimer = await caller(service, facts.claimer_key)
        database: Any = service.database
        receipt = Receipt("k" * 16, b"f" * 32, lambda view: Recorded(200, b"b" * 1500, None, '"2"', view.item.id))
        call = Call.of(claimer, now, receipt)
        move = Move(Command(trigger="claim", signed_by="张建国"))
        item_id = facts.clock.id(RESERVED)

        async def write(action: Any, *, locking: bool = False) -> Any:
            async with database._pool.acquire() as connection:
                try:
                    async with connection.transaction():
                        # Whatever was filled in, it can be claimed now.
                        await connection.execute("UPDATE items SET state = 'open' WHERE id = $1", item_id)
                        await action(_Recording(connection, sent))
                        raise _Undone
                except _Undone:
                    return None

        database.write = write
        await transitions.advance(service, call, item_id, move, None)
        # Once more: by now the ledger's policy is known to this process, as it is in a running server.
        sent.clear()
        await transitions.advance(service, call, item_id, move, None)
    return sent


# -- as scripts

_PICK = r"""\set n 2 * random(0, {last}) + 1
\set ms {start} + :n * {step}
\set chance random(1, 140000000000000)
"""
_ITEM = "(lpad(to_hex(:ms::bigint), 12, '0') || '70008000' || lpad(to_hex(:n::bigint), 12, '0'))::uuid"


def _event_id() -> str:
    now = f"{int(datetime.now(UTC).timestamp() * 1000):012x}"
    return f"('{now}70008001' || lpad(to_hex(:chance::bigint), 12, '0'))::uuid"


def _pick(facts: Facts) -> str:
    return _PICK.format(last=facts.items // 2 - 1, start=facts.clock.start_ms, step=facts.clock.step_ms)


def _own(facts: Facts, sent: Sent) -> str:
    (find_text, find_values), (store_text, store_values) = sent
    event = _inserted(store_text, "events")
    instead = {
        facts.clock.id(RESERVED): _ITEM,
        "k" * 16: "'k' || :chance",
        store_values[event["id"] - 1]: _event_id(),
    }
    # What was read decides at which revision is written, and which place the event has. States stay as they are.
    by_number = {
        _set(store_text, "revision = "): ":revision",
        _set(store_text, "SET state="): "state",
        _set(store_text, "version="): "(:version + 1)",
        event["revision"]: "(:revision + 1)",
    }
    find_sql = _inlined(find_text, find_values, instead, {})
    return f"{_pick(facts)}{find_sql} \\gset\n{_inlined(store_text, store_values, instead, by_number)};\n"


def _set(text: str, before: str) -> int:
    """The number of the parameter that follows these words."""
    found = re.search(re.escape(before) + r"\$([0-9]+)", text)
    if found is None:
        raise LookupError(f"the service no longer writes {before!r}")
    return int(found[1])


def _inserted(text: str, table: str) -> dict[str, int]:
    """Which parameter goes into which column of a table."""
    found = re.search(rf"INSERT INTO {table} \(([^)]*)\)\s*SELECT (.*?)\s+WHERE", text, re.S)
    if found is None:
        raise LookupError(f"the service no longer writes {table} like this")
    return dict(zip(found[1].split(", "), map(int, re.findall(r"\$([0-9]+)", found[2])), strict=True))


def _inlined(text: str, values: list[Any], instead: dict[Any, str], by_number: dict[int, str]) -> str:
    """The text with its parameters written out."""

    def value_of(match: re.Match[str]) -> str:
        number = int(match[1])
        if number in by_number:
            return by_number[number]
        value = values[number - 1]
        try:
            if value in instead:
                return instead[value]
        except TypeError:
            pass
        return _literal(value)

    return re.sub(r"\$([0-9]+)", value_of, text.replace("\n", " "))


def _literal(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case bool() | int():
            return str(value)
        case bytes():
            return f"'\\x{value.hex()}'"
        case list() | tuple():
            inside = ",".join(json.dumps(str(each), ensure_ascii=False) for each in value)
            return "'{" + inside.replace("'", "''") + "}'"
        case _:
            return "'" + str(value).replace("'", "''") + "'"


def _six(facts: Facts, sent: Sent) -> str:
    """One statement for each thing: read and lock, update, event, its place in the queue, idempotency record."""
    tenant = f"'{facts.tenant_id}'"
    _, values = sent[1]
    body = next(value for value in values if isinstance(value, bytes) and value.startswith(b"{"))
    beside = next(value for value in values if isinstance(value, str) and '"salt"' in value)
    audience = next(value for value in values if isinstance(value, list) and value and isinstance(value[0], UUID))
    key = "'k' || :chance"
    hands = _literal(next(value for value in values if isinstance(value, str) and value.startswith('{"claimed"')))
    return f"""{_pick(facts)}BEGIN;
SELECT version, revision, state, responsible_unit_id, ledger_id FROM items
 WHERE tenant_id = {tenant} AND id = {_ITEM} FOR UPDATE \\gset
UPDATE items SET state = :state, claim_signed_by = '张建国', claimed_at = now(), claimed_by = '{audience[0]}',
 hands = {hands}, version = version + 1, revision = revision + 1, updated_at = now()
 WHERE tenant_id = {tenant} AND id = {_ITEM} AND version = :version;
INSERT INTO events (tenant_id, id, item_id, revision, ordinal, type, at, unit_id, ledger_id, item_version, audience,
 body, beside) VALUES ({tenant}, {_event_id()}, {_ITEM}, :revision + 1, 0, 'item.claimed', now(),
 :responsible_unit_id, :ledger_id, :version + 1, {_literal(audience)}, {_literal(body)}, {_literal(beside)});
INSERT INTO unsequenced (tenant_id, event_id) VALUES ({tenant}, {_event_id()});
INSERT INTO idempotency (tenant_id, caller, key, fingerprint, status, location, etag, body, subject_id, created_at)
 VALUES ({tenant}, 'bench', {key}, '\\x{"66" * 32}', 200, NULL, '"2"', '\\x{"62" * 1500}', {_ITEM}, now());
COMMIT;
"""
