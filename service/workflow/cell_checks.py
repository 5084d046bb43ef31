"""Cells of a ledger by themselves: formulas, signs that nobody sees, what a spreadsheet could run, personal data."""

import re

from service.workflow.cells import unguarded
from service.workflow.grid import Formula, Number
from service.workflow.headings import Field
from service.workflow.ledger_sheet import Line
from service.workflow.row_faults import CONTROL_CHAR, FORMULA_CELL, FORMULA_LIKE, PERSONAL_DATA, Fault

_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffd"
    "\ud800-\udfff]"
)
_FORMULA_LIKE = re.compile(r"[=+\-@](?![\d.,%\s]*$)[^\-=+@\s]")
_PHONE = re.compile(r"(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)")
_ID_CARD = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def check(line: Line) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
    """What may not stand in a cell at all, and what should not."""
    errors: list[Fault] = []
    warnings: list[Fault] = []
    for each, first in line.cells.items():
        for cell in line.several.get(each, (first,)):
            if isinstance(cell, Formula):
                errors.append(Fault(FORMULA_CELL, each))
            else:
                _check_text(each, cell, errors, warnings)
    for heading, cell in line.extra.items():
        _check_text(heading, cell, errors, warnings)
    return tuple(errors), tuple(warnings)


def _check_text(name: str, cell: str, errors: list[Fault], warnings: list[Fault]) -> None:
    if cell.isalnum() and len(cell) < 11:
        # Most cells: nothing of what follows can be in them.
        return
    if _CONTROL.search(cell):
        errors.append(Fault(CONTROL_CHAR, name))
    if not isinstance(cell, Number) and _FORMULA_LIKE.match(unguarded(cell)):
        warnings.append(Fault(FORMULA_LIKE, name))
    if name != Field.CONTACT and (_PHONE.search(cell) or any(map(_is_id_card, _ID_CARD.findall(cell)))):
        warnings.append(Fault(PERSONAL_DATA, name))


def _is_id_card(digits: str) -> bool:
    """The last sign of an ID card's number is a check digit (GB 11643)."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == digits[17].upper()
