"""What may be wrong with a row of an imported ledger, and what somebody should look at: codes, and where."""

from dataclasses import dataclass

MISSING_PROBLEM, MISSING_UNIT, UNKNOWN_UNIT = "missing_problem", "missing_unit", "unknown_unit"
INVALID_DATE, DUPLICATE, FORMULA_CELL = "invalid_date", "duplicate", "formula_cell"
CONTROL_CHAR, TOO_LONG, COLUMN_COUNT, FORBIDDEN = "control_char", "too_long", "column_count", "forbidden"
FORMULA_LIKE, PERSONAL_DATA = "formula_like_text", "personal_data"


@dataclass(frozen=True, slots=True)
class Fault:
    """A code, the field it is about, and what else says why: the earlier row of a duplicate, a unit's name."""

    code: str
    field: str | None = None
    about: str | None = None
