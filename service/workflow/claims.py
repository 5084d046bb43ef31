"""What the claims of a token say here: who it is, and which grants its mapping draws from them.

A claim is named by a path: `sub`, `realm_access.roles`, or one name with dots in it (`https://example.org/roles`). Its
value counts where it is a string or a list of strings. What is missing or malformed gives no name and no grant; only
without a subject is a token nobody's.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.errors import Refused
from service.workflow.identities import Granted

MAX_SUBJECT, MAX_NAME, MAX_EXTERNAL_ID = 255, 200, 200
"""What the principal's columns hold, in characters."""

MAX_VALUES = 500
"""Of a longer list in a claim only the first so many are looked at."""

MAX_GRANTS = 200
"""So many grants a token gives at most: the first, in the order of the mapping."""

_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who a token says it is. `grants` are (role, unit code), each once, in the order of the mapping."""

    subject: str
    name: str | None
    external_id: str | None
    grants: tuple[tuple[str, str], ...]


def interpret(claims: Mapping[str, Any], mapping: Mapping[str, Any]) -> Claimed:
    """The claims of a verified token through its issuer's mapping. Refuses `unauthenticated` without a subject."""
    subject = _line(claims, mapping["subject"], MAX_SUBJECT)
    if subject is None:
        raise Refused("unauthenticated", "invalid_token")
    external_id = _line(claims, mapping["external_id"], MAX_EXTERNAL_ID) if mapping["external_id"] else None
    return Claimed(subject, _name(claims, mapping["name"]), external_id, _grants(claims, mapping["grants"]))


def texts(claims: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """The strings that the claim holds: its own, or those of its list. The longest name that is there goes first."""
    value = _find(claims, path.split("."))
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        return tuple(each for each in value[:MAX_VALUES] if isinstance(each, str))
    return ()


def _find(value: Any, steps: list[str]) -> Any:
    if not steps:
        return value
    if not isinstance(value, Mapping):
        return None
    for count in range(len(steps), 0, -1):
        name = ".".join(steps[:count])
        if name in value:
            found = _find(value[name], steps[count:])
            if found is not None:
                return found
    return None


def _line(claims: Mapping[str, Any], path: str, longest: int) -> str | None:
    """An identifier, whole or not at all: one that was cut or cleaned could be somebody else's."""
    found = texts(claims, path)
    if len(found) != 1 or not 1 <= len(found[0]) <= longest or not found[0].strip() or _UNPRINTED.search(found[0]):
        return None
    return found[0]


def _name(claims: Mapping[str, Any], path: str) -> str | None:
    found = texts(claims, path)
    return (_UNPRINTED.sub(" ", found[0]).strip()[:MAX_NAME].strip() or None) if found else None


def _grants(claims: Mapping[str, Any], rules: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for rule in rules:
        if rule["value"] not in texts(claims, rule["claim"]):
            continue
        for code in _units(claims, rule):
            found[rule["role"], code] = None
            if len(found) == MAX_GRANTS:
                return tuple(found)
    return tuple(found)


def _units(claims: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterator[str]:
    if rule["unit"] is not None:
        yield rule["unit"]
    else:
        yield from (code for code in texts(claims, rule["unit_claim"]) if _CODE.fullmatch(code))


def difference(
    held: Iterable[Granted], wanted: Iterable[tuple[str, UUID]]
) -> tuple[tuple[Granted, ...], tuple[tuple[str, UUID], ...]]:
    """Which of the grants that an issuer's tokens gave have ended, and which (role, unit) begin."""
    open_ = dict.fromkeys(wanted)
    ended = []
    for grant in held:
        if (grant.role, grant.unit_id) in open_:
            del open_[grant.role, grant.unit_id]
        else:
            ended.append(grant)
    return tuple(ended), tuple(open_)
