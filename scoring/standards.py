"""The standards ledger: three lists per field as data, and when a branch is up to standard. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from scoring.blocks import Text
from scoring.items import FieldId, Row, rows_on

ListId = Literal["responsibility", "task", "standard"]
LISTS: tuple[ListId, ...] = ("responsibility", "task", "standard")
"""责任清单, 任务清单, 规范化标准清单: stored identifiers."""


def _yes_or_no(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


class StandardItem(Row):
    """One line of a list: what is required, and whether a branch without it is not up to standard."""

    field: FieldId
    list: ListId
    required: Text
    required_en: Text
    mandatory: Annotated[bool, BeforeValidator(_yes_or_no)]

    def required_in(self, language: str) -> str:
        """What is required, in `zh` or `en`."""
        return self.required_en if language == "en" else self.required

    @property
    def version(self) -> str:
        """The version of the standard: the day since which this line holds. A new one has to be met anew."""
        return self.starts.isoformat()


@dataclass(frozen=True, slots=True)
class LedgerState:
    """How a branch stands: items met of all that its field has. up_to_standard: every mandatory one is met."""

    met: int
    total: int
    missing_mandatory: tuple[StandardItem, ...]

    @property
    def up_to_standard(self) -> bool:
        """Whether no mandatory item is missing."""
        return not self.missing_mandatory


def items_of(rows: Sequence[StandardItem], field: str, day: date) -> tuple[StandardItem, ...]:
    """The items of all three lists that `field` has on `day`, list by list, each in the order of the file."""
    own = [row for row in rows_on(rows, day) if row.field in ("all", field)]
    return tuple(sorted(own, key=lambda row: LISTS.index(row.list)))


def ledger_state(items: Iterable[StandardItem], met: Mapping[str, bool]) -> LedgerState:
    """The state of a branch. met: per item whether a checker has found it so; missing: not checked, not met."""
    listed = list(items)
    unmet = [item for item in listed if not met.get(item.id, False)]
    return LedgerState(len(listed) - len(unmet), len(listed), tuple(item for item in unmet if item.mandatory))
