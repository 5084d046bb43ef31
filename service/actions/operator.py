"""Calls of whoever works on the server itself, with the command line: everything in one tenant is permitted."""

from datetime import datetime
from uuid import UUID

from service.actions.service import Call, Service
from service.actions.tenants import OPERATOR
from service.store import tenants, units
from service.store.database import Tx
from service.workflow.access import Caller, Home
from service.workflow.events import Actor
from service.workflow.permissions import Grant
from service.workflow.states import PrincipalKind, Role

NOBODY = UUID(int=0)


class OperatorCall(Call):
    """A call behind which there is no principal: what it does is written down as the operator's."""

    __slots__ = ()

    @property
    def actor(self) -> Actor:
        return OPERATOR


async def home_of(service: Service, tenant: str) -> Home | None:
    """The tenant with this code."""

    async def action(tx: Tx) -> Home | None:
        return await tenants.find(tx, tenant)

    return await service.read(action)


async def operator_call(service: Service, tenant: str, now: datetime) -> OperatorCall | None:
    """A call in the tenant with this code; None where there is none."""

    async def action(tx: Tx) -> OperatorCall | None:
        found = await tenants.find(tx, tenant)
        if found is None:
            return None
        (root,) = await tx.all(units.NAMED, tenant_id=found.tenant_id, unit_ids=[], codes=["root"])
        caller = Caller(
            tenant_id=found.tenant_id, timezone=found.timezone, hashing=found.hashing, principal_id=NOBODY,
            name=OPERATOR.name, kind=PrincipalKind.PERSON, active=True, grants=(Grant(Role.ADMIN, root[0]),),
            expires_at=None,
        )  # fmt: skip
        today = now.astimezone(caller.timezone).date()
        return OperatorCall(caller=caller, now=now, today=today, grants=caller.grants_on(today))

    return await service.read(action)
