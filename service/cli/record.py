"""Holding the record to account: a stored log, one written out, a receipt, or a live server."""

import asyncio
import json
import operator
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer

from service import composition, settings
from service.actions import audit, custody, tenants
from service.actions.audit import CHECKPOINT, ROTATED
from service.actions.operator import home_of
from service.actions.service import Service
from service.cli.terminal import cli, err, out, run
from service.errors import Refused
from service.outside.keys_file import KeysUnusable
from service.outside.vault import verifier
from service.settings import Settings
from service.workflow import notes, receipts
from service.workflow.access import Home
from service.workflow.audit import Audit, Entry, Fault, announced, followed, misplaced, note_of, opened, type_of
from service.workflow.merkle import Hashing
from service.workflow.notes import BadNote, Key
from service.workflow.receipts import Receipt
from service.workflow.signers import Signers

MOST_PAGES = 1_000
WHOLE, TAMPERED, UNCHECKED = 0, 1, 2
"""What `verify` exits with."""


class Unchecked(Exception):
    """It could not be checked; the text says why."""


@cli.command()
def verify(
    database: Annotated[bool, typer.Option("--database", help="The configured database; the default.")] = False,
    export: Annotated[Path | None, typer.Option(help="A log that `export-log` wrote.")] = None,
    receipt: Annotated[Path | None, typer.Option(help="A receipt as /v1/log/receipt gives it.")] = None,
    url: Annotated[str, typer.Option(help="A running service; with --checkpoint and --api-key.")] = "",
    checkpoint: Annotated[list[Path] | None, typer.Option(help="A checkpoint kept elsewhere; any number.")] = None,
    key: Annotated[str, typer.Option(help="The verification key, as /v1/log/key gives it, or a file with it.")] = "",
    announcement: Annotated[
        list[Path] | None,
        typer.Option(help="Of a receipt: where the log's key was changed since, the announcement of the new one."),
    ] = None,
    api_key: Annotated[str, typer.Option(help="For --url: the key of an auditor.", envvar="XIAOHAO_API_KEY")] = "",
    tenant: Annotated[str, typer.Option(help="Of a database: the code of the tenant.")] = tenants.DEFAULT_TENANT,
    attachments: Annotated[
        bool, typer.Option("--attachments", help="Of a database: also every byte of the evidence in its store.")
    ] = False,
) -> None:
    """Check that nobody rewrote the record. Exit 0: whole; 1: tampered with, positions named; 2: could not check."""
    if sum((database, export is not None, receipt is not None, bool(url))) > 1:
        err.print("one of --database, --export, --receipt and --url")
        raise typer.Exit(UNCHECKED)
    if attachments and (export is not None or receipt is not None or url):
        err.print("--attachments is for a database and its store")
        raise typer.Exit(UNCHECKED)
    try:
        given = _key(key) if key else None
        if receipt is not None:
            told = _receipt(receipt, given, announcement or [])
        elif export is not None:
            told = _export(export, given, checkpoint or [])
        elif url:
            told = _url(url, given, checkpoint or [], api_key)
        else:
            told = run(_database(settings.load(), given, checkpoint or [], tenant, attachments))
    except BadNote as fault:
        _tampered([Fault(None, str(fault))])
    except (Unchecked, KeysUnusable, Refused, OSError, httpx.HTTPError) as reason:
        err.print(f"could not check: {reason}")
        raise typer.Exit(UNCHECKED) from None
    out.print(told)


def _tampered(faults: list[Fault]) -> NoReturn:
    for fault in faults:
        err.print(str(fault))
    raise typer.Exit(TAMPERED)


async def _database(present: Settings, key: Key | None, kept: list[Path], tenant: str, files: bool) -> str:
    async with composition.running(present) as service:
        home = await _home(service, tenant)
        _able(home.hashing)
        passing, faults = await audit.check(service, home.tenant_id, _texts(kept), key)
        if not files:
            return _verdict(passing, faults)
        count, wrong = await custody.check(service, home.tenant_id, passing.size)
    return f"{_verdict(passing, faults + wrong)}; {count} files, each with the bytes that were handed in"


async def _home(service: Service, tenant: str) -> Home:
    home = await home_of(service, tenant)
    if home is None:
        raise Unchecked(f"no tenant {tenant}")
    return home


def _able(hashing: Hashing) -> Hashing:
    """The algorithm, where it can be computed here. Raises Unchecked."""
    if not hashing.available():
        raise Unchecked(f"the OpenSSL of this Python has no {hashing.name}")
    return hashing


def _export(path: Path, key: Key | None, kept: list[Path]) -> str:
    with path.open(encoding="utf-8") as lines:
        head = _json(next(lines, ""), path)
        try:
            note, signers = str(head["checkpoint"]), Signers(key or notes.parse_key(head["key"]), verifier)
        except (KeyError, TypeError, AttributeError):
            raise Unchecked(f"{path} is no exported log") from None
        faults = followed(_notes(path, ROTATED, "announcement"), signers)
        checkpoint = signers.checkpoint(note)
        faults += misplaced(signers, checkpoint.origin)
        witnessed, strange = opened(_texts(kept), checkpoint.origin, signers)
        own, unproved = announced(_notes(path, CHECKPOINT, "checkpoint"), checkpoint.origin, signers)
        passing = Audit(_able(receipts.hashing_of(checkpoint.origin)), (checkpoint, *witnessed, *own, *signers.heads))
        faults += unproved + passing.go_on(_entries(lines, path))[0] + strange
        if passing.size > checkpoint.size:
            faults.append(Fault(None, f"there are {passing.size} events, and its checkpoint is of {checkpoint.size}"))
    told = _verdict(passing, faults + passing.end())
    return told if key else f"{told}; by the key that the file itself names: give --key"


def _entries(lines: Iterator[str], path: Path) -> Iterator[Entry]:
    for line in lines:
        given = _json(line, path)
        try:
            yield Entry(operator.index(given["position"]), given["body"].encode(), given["beside"])
        except (KeyError, TypeError, AttributeError):
            raise Unchecked(f"{path}: a line is no entry of a log") from None


def _notes(path: Path, type_: str, name: str) -> Iterator[tuple[int, str]]:
    """The signed notes that an exported log holds itself in events of one type, with their positions."""
    with path.open(encoding="utf-8") as lines:
        next(lines)
        for entry in _entries((line for line in lines if type_ in line), path):
            if entry.body is not None and type_of(entry.body) == type_:
                yield entry.position, note_of(entry.body, name)


def _receipt(path: Path, key: Key | None, announcements: list[Path]) -> str:
    if key is None:
        raise Unchecked("a receipt is checked with the verification key: give --key")
    given = _json(path.read_text(encoding="utf-8"), path)
    receipt = Receipt.parse(given)
    signers = Signers(key, verifier)
    if faults := followed(((None, note) for note in _texts(announcements)), signers):
        _tampered(faults)
    origin = signers.checkpoint(receipt.checkpoint).origin
    if faults := misplaced(signers, origin):
        _tampered(faults)
    hashing = _able(receipts.hashing_of(origin))
    checkpoint = receipts.check(receipt, signers)
    entry = Entry(1, receipt.body, given.get("beside") or {})
    faults, _ = Audit(hashing).go_on([entry])
    if faults:
        _tampered([Fault(receipt.position, fault.what) for fault in faults])
    body = json.loads(receipt.body)
    return f"position {receipt.position} of {checkpoint.origin}: {body['type']} at {body['at']}, as it was sealed"


def _url(url: str, key: Key | None, kept: list[Path], api_key: str) -> str:
    if key is None or not kept or not api_key:
        raise Unchecked("--url is checked with --key, --checkpoint and --api-key")
    headers = {"Authorization": f"Bearer {api_key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
        note = _ask(client, "/v1/log/checkpoint").text
        try:
            notes.signatures(note)
        except BadNote:
            # A page of whoever stands between, say.
            raise Unchecked("/v1/log/checkpoint answers with no checkpoint") from None
        signers = Signers(key, verifier)
        faults = followed(_announcements(client), signers)
        present = signers.checkpoint(note)
        if faults := faults + misplaced(signers, present.origin):
            _tampered(faults)
        _able(receipts.hashing_of(present.origin))
        # Where keys were changed the log was such, too: by what both have signed. What came since is not in the note.
        changed = [each for each in signers.heads if each.size <= present.size]
        for old in (*map(signers.checkpoint, _texts(kept)), *changed):
            if old.size > present.size:
                receipts.grown(old, present, ())
            answer = _ask(client, "/v1/log/proof/consistency", **{"from": old.size, "to": present.size})
            receipts.grown(old, present, _hashes(answer))
    return f"{present.origin}: {present.size} events, and every checkpoint that was given is of their beginning"


def _announcements(client: httpx.Client) -> Iterator[tuple[int, str]]:
    """What a live log says of changes of its keys. A log that grows while it is asked is not followed for ever."""
    after = 0
    for _ in range(MOST_PAGES):
        page = _ask(client, "/v1/events", type=ROTATED, after=after)
        try:
            told, last = page.json()["items"], int(page.json()["last_position"])
            yield from [(int(event["position"]), str(event["data"]["announcement"])) for event in told]
        except (ValueError, KeyError, TypeError):
            raise Unchecked("/v1/events answers with no events") from None
        if last <= after:
            return
        after = last


def _ask(client: httpx.Client, path: str, **query: int | str) -> httpx.Response:
    answer = client.get(path, params=query)
    if not answer.is_success:
        raise Unchecked(f"{path} answers {answer.status_code}")
    return answer


def _hashes(answer: httpx.Response) -> tuple[bytes, ...]:
    try:
        return tuple(bytes.fromhex(each) for each in answer.json()["hashes"])
    except (ValueError, KeyError, TypeError):
        raise Unchecked(f"{answer.url.path} answers with no proof") from None


def _verdict(passing: Audit, faults: list[Fault]) -> str:
    if faults:
        _tampered(faults)
    held = f"held against {len(passing.witnessed)} signed checkpoints"
    return f"whole: {passing.size} events, root {passing.root.hex()}, {held}"


def _texts(paths: list[Path]) -> tuple[str, ...]:
    return tuple(path.read_text(encoding="utf-8") for path in paths)


def _key(given: str) -> Key:
    """The key as it is, or the file that it stands in. Raises Unchecked."""
    try:
        return notes.parse_key(given)
    except BadNote:
        pass
    try:
        return notes.parse_key(Path(given).read_text(encoding="utf-8").strip())
    except (BadNote, OSError, ValueError):
        raise Unchecked("--key is no verification key, nor a file with one") from None


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Unchecked(f"{path} cannot be read") from None


@cli.command("export-log")
def export_log(
    file: Annotated[Path, typer.Argument(help="Where to; must not exist yet.")],
    tenant: Annotated[str, typer.Option(help="Code of the tenant.")] = tenants.DEFAULT_TENANT,
) -> None:
    """Write a tenant's whole log with a signed checkpoint, a line an event, for `verify --export`."""
    try:
        count = run(_write(settings.load(), file, tenant))
    except (Unchecked, OSError) as reason:
        err.print(f"not written: {reason}")
        raise typer.Exit(2) from None
    out.print(f"{count} events")


async def _write(present: Settings, file: Path, tenant: str) -> int:
    async with composition.running(present) as service:
        tenant_id = (await _home(service, tenant)).tenant_id
        head, key, note = await audit.checkpoint(service, tenant_id, datetime.now(UTC))
        with await asyncio.to_thread(file.open, "x", encoding="utf-8") as lines:
            _line(lines, {"key": key.text, "checkpoint": note})
            async for entries in audit.read(service, tenant_id, head.size):
                for entry in entries:
                    body = (entry.body or b"").decode()
                    _line(lines, {"position": entry.position, "body": body, "beside": entry.beside})
        if await audit.rotated_later(service, tenant_id, head.size):
            await asyncio.to_thread(file.unlink)
            raise Unchecked("another key signs, and what leads to it has no position yet: write it again")
        if await audit.erased_later(service, tenant_id, head.size):
            # The texts are gone, and what accounts for them is not in the file.
            await asyncio.to_thread(file.unlink)
            raise Unchecked("something was erased that has no position yet, or was erased meanwhile: write it again")
    return head.size


def _line(lines: Any, content: dict[str, Any]) -> None:
    lines.write(json.dumps(content, ensure_ascii=False) + "\n")
