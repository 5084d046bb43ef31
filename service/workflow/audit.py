"""Going through a log from its first event to its last: is every event the one that was sealed, and the tree theirs?"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from service.workflow import merkle, notes, sealing
from service.workflow.erased import Erasures
from service.workflow.events import ACTORS_NAME
from service.workflow.merkle import Hashing, Node
from service.workflow.notes import BadNote, Checkpoint
from service.workflow.signers import Signers

COLUMNS = ("id", "type", "at", "item_id", "item_version", "revision", "ordinal", "unit_id", "ledger_id", "audience")
"""What an event's row repeats of its sealed bytes, to be found by."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and at which position; None where it is not about one."""

    position: int | None
    what: str

    def __str__(self) -> str:
        return self.what if self.position is None else f"position {self.position}: {self.what}"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is stored of one position. `body` is None where the event is gone; `leaf_hash` where it is not stored with
    it; `columns` None where nothing repeats what the body says."""

    position: int
    body: bytes | None
    beside: dict[str, Any]
    leaf_hash: bytes | None = None
    columns: dict[str, Any] | None = None


@dataclass(slots=True)
class Audit:
    """A pass over a log; entries come in the order of their positions. `witnessed` are checkpoints that it must fit:
    those that were kept elsewhere, and those that it holds itself."""

    hashing: Hashing
    witnessed: tuple[Checkpoint, ...] = ()
    size: int = 0
    frontier: tuple[bytes, ...] = ()
    _orders: dict[str, tuple[int, int]] = field(default_factory=dict)
    _erasures: Erasures = field(default_factory=Erasures)
    _by_size: dict[int, list[Checkpoint]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_size = defaultdict(list)
        for each in self.witnessed:
            self._by_size[each.size].append(each)

    @property
    def root(self) -> bytes:
        return merkle.root(self.hashing, self.frontier)

    def go_on(self, entries: Iterable[Entry]) -> tuple[list[Fault], tuple[Node, ...]]:
        """The faults of some more entries, and the nodes that the tree must have gained by them."""
        faults: list[Fault] = []
        nodes: list[Node] = []
        for entry in entries:
            if entry.position != self.size + 1:
                faults.append(Fault(entry.position, f"expected position {self.size + 1}"))
            faults += [Fault(entry.position, what) for what in self._wrong(entry)]
            leaf_hash = self.hashing.leaf(entry.body) if entry.body is not None else entry.leaf_hash or b""
            grown = merkle.extend(self.hashing, self.size, self.frontier, [leaf_hash])
            self.size, self.frontier = grown.size, grown.frontier
            nodes += grown.nodes
            faults += self._held_against_witnesses()
        return faults, tuple(nodes)

    def erased_later(self, bodies: Iterable[bytes]) -> None:
        """Erasures that the log tells of behind what was gone through, while its texts are gone already."""
        for number, body in enumerate(bodies, 1):
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                self._erasures.pass_by(self.size + number, json.loads(body), ())

    def end(self) -> list[Fault]:
        """Checkpoints that the log has not reached, and texts that are gone without a lawful erasure."""
        return [
            Fault(None, f"the log has {self.size} events, and had {each.size} at {each.at:%Y-%m-%dT%H:%M:%SZ}")
            for each in self.witnessed
            if each.size > self.size
        ] + [
            Fault(position, f"its text {path} is gone, and no erasure tells of it")
            for position, path in self._erasures.unaccounted()
        ]

    def _held_against_witnesses(self) -> list[Fault]:
        return [
            Fault(None, f"the first {each.size} events are not those of {each.at:%Y-%m-%dT%H:%M:%SZ}")
            for each in self._by_size.get(self.size, ())
            if each.root != self.root
        ]

    def _wrong(self, entry: Entry) -> Iterator[str]:
        if entry.body is None:
            yield "the event is gone"
            return
        if entry.leaf_hash is not None and entry.leaf_hash != self.hashing.leaf(entry.body):
            yield "the event is not the one that was sealed"
            return
        try:
            body: dict[str, Any] = json.loads(entry.body)
            yield from self._disorder(body)
            if entry.columns is not None:
                changed = [name for name in COLUMNS if entry.columns[name] != body[name]]
                if changed:
                    yield f"its row differs from what is sealed: {', '.join(changed)}"
            sealed = {ACTORS_NAME: body["actor"]["name"], **body["data"]}
            missing = []
            for path, seal in _seals(sealed):
                text = entry.beside.get(path)
                if not text:
                    missing.append(path)
                elif sealing.digest(self.hashing, bytes.fromhex(text["salt"]), text["value"]) != seal:
                    yield f"its text {path} is not the one that was sealed"
            self._erasures.pass_by(entry.position, body, tuple(missing))
        except (ValueError, KeyError, TypeError, AttributeError):
            yield "the event cannot be read"

    def _disorder(self, body: dict[str, Any]) -> Iterator[str]:
        if body["item_id"] is None:
            return
        place = (body["revision"], body["ordinal"])
        if place <= self._orders.get(body["item_id"], (0, -1)):
            yield "it stands after a later event of its item"
        self._orders[body["item_id"]] = place


def _seals(sealed: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """The paths of an event's texts, each with the hash that it holds of it."""
    for key, value in sealed.items():
        if key in sealing.NESTED and isinstance(value, dict):
            yield from _seals(value, f"{path}{key}/")
        elif isinstance(value, dict) and value.keys() == {"sealed"}:
            yield path + key, value["sealed"]


def type_of(body: bytes) -> str | None:
    """The type of an event; None where it cannot be read, which the pass over it says."""
    try:
        return str(json.loads(body)["type"])
    except (ValueError, KeyError, TypeError):
        return None


def note_of(body: bytes, name: str = "checkpoint") -> str:
    """The signed note in an event: a checkpoint, or what else it holds by that name; empty where it holds none."""
    try:
        note = json.loads(body)["data"][name]
    except (ValueError, KeyError, TypeError):
        return ""
    return note if isinstance(note, str) else ""


def followed(told: Iterable[tuple[int | None, str]], signers: Signers) -> list[Fault]:
    """Let the announcements that a log holds, told with their positions, lead to the keys that signed it; their
    faults."""
    return [Fault(*wrong) for wrong in signers.follow(told)]


def misplaced(signers: Signers, origin: str) -> list[Fault]:
    """The faults of announcements that led to keys, and are of another log."""
    return [Fault(None, wrong) for wrong in signers.of(origin)]


def announced(
    told: Iterable[tuple[int | None, str]], origin: str, signers: Signers
) -> tuple[tuple[Checkpoint, ...], list[Fault]]:
    """The checkpoints that a log holds itself, told with their positions, and the faults of those that prove nothing.

    Whoever rewrites a log cannot sign new ones without the installation's keys. They may bear an older name of it.
    """
    checkpoints, faults = [], []
    for position, note in told:
        try:
            checkpoint, name = signers.checkpoint(note), notes.signatures(note)[0].name
            if checkpoint.origin.removeprefix(name) != origin.removeprefix(signers.key.name):
                raise BadNote(f"it is of {checkpoint.origin}")
            checkpoints.append(checkpoint)
        except BadNote as bad:
            faults.append(Fault(position, f"its checkpoint proves nothing: {bad}"))
    return tuple(checkpoints), faults


def opened(kept: Iterable[str], origin: str, signers: Signers) -> tuple[tuple[Checkpoint, ...], list[Fault]]:
    """Checkpoints that were kept elsewhere, and the faults of those that are of another log. Raises BadNote."""
    checkpoints = tuple(signers.checkpoint(note) for note in kept)
    faults = [
        Fault(None, f"the checkpoint is of {each.origin}, not of {origin}")
        for each in checkpoints
        if each.origin != origin
    ]
    return checkpoints, faults


def columns_of(row: dict[str, Any]) -> dict[str, Any]:
    """The columns of an event's row as its body writes them."""
    return {
        **row,
        **{name: _id(row[name]) for name in ("id", "item_id", "unit_id", "ledger_id")},
        "at": row["at"].isoformat().replace("+00:00", "Z"),
        "audience": [str(unit) for unit in row["audience"]],
    }


def _id(value: UUID | None) -> str | None:
    return None if value is None else str(value)
