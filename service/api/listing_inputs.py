"""The facts of a problem as they are sent: what listing one and correcting one have in common."""

from typing import Annotated

from pydantic import Field, model_validator

from service.api.fields import Code, Day, Id, Model, Name, Reason, ShortLine, distinct, left_out, refuse
from service.workflow.items import DeadlineAsked
from service.workflow.states import DeadlineKind, SourceKind


class SourceIn(Model):
    kind: SourceKind = SourceKind.OTHER
    ref: Name | None = None
    contact: Reason | None = Field(None, description="Who complained. Kept encrypted, shown to few.")


class SourcePatch(Model):
    """What is left out stays, null empties."""

    kind: SourceKind = left_out()
    ref: Name | None = left_out()
    contact: Reason | None = left_out()


class DeadlineIn(Model):
    kind: DeadlineKind = DeadlineKind.DATE
    due_on: Day | None = None
    text: ShortLine | None = Field(None, description="What the clerk wrote.")

    @model_validator(mode="after")
    def _computed_kinds_have_no_date(self) -> "DeadlineIn":
        if self.kind != DeadlineKind.DATE and self.due_on is not None:
            raise refuse("one_of_two")
        return self

    def asked(self) -> DeadlineAsked:
        return DeadlineAsked(self.kind.value, self.due_on, self.text)


Labels = Annotated[
    list[ShortLine],
    distinct,
    Field(max_length=20, json_schema_extra={"uniqueItems": True}),
]
CoUnitIds = Annotated[list[Id], distinct, Field(max_length=50, json_schema_extra={"uniqueItems": True})]
CoUnits = Annotated[list[Code], distinct, Field(max_length=50, json_schema_extra={"uniqueItems": True})]
