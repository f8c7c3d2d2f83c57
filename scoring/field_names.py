"""The words under which people write a field: ours, and those of cities that count seven fields."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from scoring.blocks import Block, Named, Status, Text
from scoring.exact import FromList

FIELDS = ("admin_village", "urban_community", "gov_institution", "two_new", "soe")
"""Stored identifiers of the five fields; never renamed."""


class FieldWord(Block):
    """A word of another city's list, and the field of ours that it is."""

    word: Text
    field: Text
    status: Status
    source: Text


class FieldNames(Block):
    """The file `field_names.toml`."""

    field: Annotated[tuple[Named, ...], FromList]
    word: Annotated[tuple[FieldWord, ...], FromList, Field(min_length=1)]

    @cached_property
    def words(self) -> dict[str, str]:
        """Every word that stands for a field -> its identifier: identifiers and titles themselves, too."""
        own = {said: one.id for one in self.field for said in (one.id, one.title, one.title_en)}
        return own | {one.word: one.field for one in self.word}

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if tuple(one.id for one in self.field) != FIELDS:
            raise ValueError(f"the fields {', '.join(FIELDS)} must be named, in this order")
        seen = {said: one.id for one in self.field for said in (one.id, one.title, one.title_en)}
        for one in self.word:
            if one.field not in FIELDS:
                raise ValueError(f"{one.word}: there is no field {one.field}")
            if seen.setdefault(one.word, one.field) != one.field:
                raise ValueError(f"{one.word}: stands for two fields")
        return self
