"""A policy as it is sent: every part may be left out, and what is left out stays as it is."""

from typing import Annotated, Any, Literal

from pydantic import Field

from service.api.fields import Boolean, Integer, Model, left_out

Days = Annotated[int, Field(ge=0, le=3650), Integer]
Lasting = Annotated[int, Field(ge=1, le=3650), Integer]
Word = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z0-9_+-]+$")]
Clock = Annotated[str, Field(min_length=5, max_length=5, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]

_TEXT = r"([^\x00-\x1f\x7f{}]|\{ledger\}|\{year\})*"
_SEQ = r"\{seq(:0[1-9])?\}"
NUMBER_PATTERN = rf"^{_TEXT}(\{{year\}}{_TEXT}{_SEQ}|{_SEQ}{_TEXT}\{{year\}}){_TEXT}$"
"""{ledger}, {year} and {seq} (or {seq:04}) among other text; a year and one seq are needed to keep numbers apart."""

NumberPattern = Annotated[
    str,
    Field(
        min_length=1,
        max_length=60,
        pattern=NUMBER_PATTERN,
        description="With {year} and {seq} or {seq:04}; {ledger} is the ledger's code.",
        examples=["{ledger}-{year}-{seq:04}"],
    ),
]


class LimitsIn(Model):
    """Working days by severity; `review_months` in months."""

    general: Lasting = left_out()
    serious: Lasting = left_out()
    critical: Lasting = left_out()
    immediate_days: Lasting = left_out()
    review_months: Annotated[int, Field(ge=1, le=120), Integer] = left_out()


class ExtensionIn(Model):
    max_count: Annotated[int, Field(ge=0, le=100), Integer] = left_out()
    max_total_days: Days = left_out()
    apply_before: Days = left_out()
    second_needs_parent: Boolean = left_out()


class ClosureIn(Model):
    min_evidence: Annotated[int, Field(ge=0, le=100), Integer] = left_out()
    four_eyes: Boolean = left_out()


class OfficeHoursIn(Model):
    open: Clock = left_out()
    close: Clock = left_out()


class LampIn(Model):
    lamp: Word
    from_days: Annotated[int, Field(ge=-3650, le=3650), Integer]


class NumbersIn(Model):
    item: NumberPattern = left_out()
    urging: NumberPattern = left_out()
    supervision: NumberPattern = left_out()
    warning: NumberPattern = left_out()
    interview: NumberPattern = left_out()
    circular: NumberPattern = left_out()


class RungIn(Model):
    """A rung of the escalation ladder; `offset` in working days from its anchor."""

    code: Word
    anchor: Literal["due", "claim_due", "decision_due", "interview_due"]
    offset: Annotated[int, Field(ge=-3650, le=3650), Integer]
    states: list[Literal["open", "rectifying", "extended", "escalated"]] = Field(min_length=1, max_length=4)
    after_interview: Boolean = False
    action: Literal["remind", "urge", "supervise", "warn", "circulate", "escalate"]
    notify: list[Literal["responsible", "supervising", "parent"]] = Field(min_length=1, max_length=3)
    confirm: Boolean = False


class PolicyIn(Model):
    limits: LimitsIn = left_out()
    claim_within: Days = left_out()
    decide_within: Days = left_out()
    interview_within: Days = left_out()
    receipt_within: Days = left_out()
    reply_within: Days = left_out()
    extension: ExtensionIn = left_out()
    closure: ClosureIn = left_out()
    office_hours: OfficeHoursIn = left_out()
    lamps: list[LampIn] = Field(default_factory=list, max_length=10)
    numbers: NumbersIn = left_out()
    ladder: list[RungIn] = Field(default_factory=list, max_length=50)

    def partial(self) -> dict[str, Any]:
        """What was sent; a rung or a lamp whole, with its defaults."""
        sent: dict[str, Any] = self.model_dump(exclude_unset=True, exclude={"ladder"})
        if "ladder" in self.model_fields_set:
            sent["ladder"] = [rung.model_dump() for rung in self.ladder]
        return sent
