"""What all answers are made of: each shape stands once as a schema for readers, and once as the function that fills it.

Answers are plain values that pydantic-core writes down in one go. The schemas are documentation that tests hold the
answers against; no answer passes through them on its way out.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Line = Annotated[str, Field(max_length=300)]
Text = Annotated[str, Field(max_length=20_000)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Shape(BaseModel):
    """An answer: every field is always there, so that readers need not guess."""

    model_config = ConfigDict(extra="forbid")


class StatusOut(Shape):
    status: Line
