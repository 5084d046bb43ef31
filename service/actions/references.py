"""Ids and codes in a request, resolved: what is unknown and what is out of the caller's scope look the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from service.actions.service import Call
from service.errors import invalid
from service.store import issuers, ledgers, units
from service.store.database import Tx
from service.workflow.identities import Issuer
from service.workflow.organisation import Ledger
from service.workflow.scopes import Scope

Ref = UUID | str
"""An id, or a code."""


@dataclass(frozen=True, slots=True)
class Named:
    """A reference and where it stands in the request."""

    ref: Ref
    pointer: str


@dataclass(slots=True)
class Units:
    """Active units with their lines, by id and by code."""

    by_ref: dict[Ref, UUID]
    lines: dict[UUID, tuple[UUID, ...]]

    def line(self, named: Named) -> tuple[UUID, ...]:
        """The unit and everything above it; `unknown_reference` where there is no such active unit."""
        unit_id = self.by_ref.get(named.ref)
        if unit_id is None:
            raise invalid((named.pointer, "unknown_reference"))
        return self.lines[unit_id]

    def line_in(self, named: Named, scope: Scope) -> tuple[UUID, ...]:
        """The same for a unit that must also lie in the caller's scope."""
        line = self.line(named)
        if not scope.covers(line):
            raise invalid((named.pointer, "unknown_reference"))
        return line


async def find_units(tx: Tx, tenant_id: UUID, refs: Iterable[Ref], *, inactive: bool = False) -> Units:
    """Units by id or code; those no longer active only where a list may still ask for them."""
    wanted = set(refs)
    found = Units({}, {})
    if not wanted:
        return found
    rows = await tx.all(
        units.NAMED,
        tenant_id=tenant_id,
        unit_ids=[ref for ref in wanted if isinstance(ref, UUID)],
        codes=[ref for ref in wanted if isinstance(ref, str)],
    )
    for unit_id, code, active, line in rows:
        if active or inactive:
            found.by_ref[unit_id] = unit_id
            found.by_ref[code] = unit_id
            found.lines[unit_id] = tuple(line)
    return found


async def find_ledger(tx: Tx, call: Call, named: Named) -> Ledger:
    """Every principal of a tenant may read its ledgers; an unknown one is `unknown_reference`."""
    if isinstance(named.ref, UUID):
        ledger = await ledgers.by_id(tx, call.tenant_id, named.ref)
    else:
        ledger = await ledgers.by_code(tx, call.tenant_id, named.ref)
    if ledger is None:
        raise invalid((named.pointer, "unknown_reference"))
    return ledger


async def find_issuer(tx: Tx, tenant_id: UUID, named: Named) -> Issuer:
    """An OpenID provider that the tenant trusts, by id; else `unknown_reference`."""
    issuer = await issuers.by_id(tx, tenant_id, named.ref) if isinstance(named.ref, UUID) else None
    if issuer is None:
        raise invalid((named.pointer, "unknown_reference"))
    return issuer
