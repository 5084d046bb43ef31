"""Units and ledgers as frozen values: where items hang, and by which rules."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Unit:
    """A node of the organisation tree."""

    id: UUID
    code: str
    name: str
    parent_id: UUID | None
    level: str
    active: bool
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Ledger:
    """A named collection of items with one policy, kept whole."""

    id: UUID
    code: str
    name: str
    owner_unit_id: UUID
    listing: str
    policy: dict[str, Any]
    policy_epoch: int
    version: int
    created_at: datetime
    updated_at: datetime
