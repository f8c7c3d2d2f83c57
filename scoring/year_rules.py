"""The rules around the close of a year: what takes all stars beside too few activities, and the time to object."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from scoring.blocks import Block, Named, Status, Text, check_dates, in_force
from scoring.exact import FromList


class VetoKind(Named):
    """Something that takes away a branch's stars of the year, once it is recorded and confirmed by two people."""

    status: Status
    source: Text


class YearTerms(Block):
    """Everything about the close of a year from a day on."""

    starts: Annotated[date, Field(alias="from")]
    objection_days: Annotated[int, Field(ge=1, le=60)]  # working days after the committee has confirmed
    standards_days: Annotated[int, Field(ge=1, le=366)]  # to put right what a check of the ledger found unmet
    veto: Annotated[tuple[VetoKind, ...], FromList, Field(min_length=1, max_length=8)]
    status: Status
    source: Text

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if len({one.id for one in self.veto}) != len(self.veto):
            raise ValueError("a veto stands twice")
        return self


class YearScheme(Block):
    """The file `year_end.toml`."""

    scheme: Named
    terms: Annotated[tuple[YearTerms, ...], FromList]

    def terms_on(self, day: date) -> YearTerms:
        """Terms of `day`. Raises LookupError before the first."""
        found = in_force(self.terms, day)
        if found is None:
            raise LookupError(f"the close of a year has no terms on {day}")
        return found

    def veto_kind(self, kind: str) -> VetoKind:
        """The kind with this id, from whichever terms name it last. Raises LookupError when none does."""
        for terms in reversed(self.terms):
            for one in terms.veto:
                if one.id == kind:
                    return one
        raise LookupError(f"no veto {kind[:40]!r}")

    @model_validator(mode="after")
    def _relations(self) -> Self:
        check_dates(self.terms)
        return self
