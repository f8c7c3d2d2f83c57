"""The boards of the best of a field, for the chat and the page: organisations only, never persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlmodel import Session

from db import indices, power_board
from db.indices import OrgPowerIndex
from notices.said_pool import month_end, said_month
from notices.wording import Wording, two_places
from scoring.catalogue import shipped
from scoring.charts import Chart, Place, top_places
from scoring.ranks import named_at_most

FORTRESS_PLACES = 10
Kind = Literal["fortress", "power"]


@dataclass(frozen=True, slots=True)
class Board:
    """One board. when: the year or the month in words. more: others have the score of the last place, too.

    size: how many the field has. limit: how many of them the board names at most. halved: fewer than in other
    fields, because this one is small.
    """

    kind: Kind
    field: str
    when: str
    places: tuple[power_board.Placed, ...]
    more: bool
    size: int
    limit: int
    halved: bool

    def lines(self) -> list[str]:
        """A line for each place: rank, name, score."""
        return [f"{one.rank} {one.name} {two_places(one.score)}" for one in self.places]

    def chart(self, say: Wording, *, own_id: int | None = None, narrow: bool = False) -> Chart:
        """The picture, with the reader's own organisation marked. Raises ValueError for an empty board."""
        places = [
            Place(one.rank, one.name, one.score, say("board.own") if one.organization_id == own_id else "")
            for one in self.places
        ]
        title = say(f"board.{'short' if narrow else 'title'}_{self.kind}", field=say(f"fields.{self.field}"))
        subtitle = f"{say(f'fields.{self.field}')} · {self.when}" if narrow else self.when
        language: Literal["zh", "en"] = "en" if say.language == "en" else "zh"
        return top_places(title, places, subtitle=subtitle, language=language, narrow=narrow)


def fortress_board(session: Session, field: str, year: int) -> Board:
    """The best branches of the field in the year; no places before the first refresh."""
    size = indices.field_size(session, year, field)
    found = [power_board.Placed(*one) for one in indices.top(session, year, field, FORTRESS_PLACES + 1)]
    return _board("fortress", field, str(year), found, size, FORTRESS_PLACES)


def power_board_of(session: Session, say: Wording, field: str, month: str) -> Board:
    """The best organisations of the field in a month, by the rules of its last day."""
    terms = shipped().org_power.terms_on(month_end(month)).board
    size = power_board.field_size(session, month, field)
    found = power_board.top(session, month, field, terms.places + 1, left_out=terms.left_out, vetoed=terms.vetoed)
    return _board("power", field, said_month(say, month), found, size, terms.places)


def _board(kind: Kind, field: str, when: str, found: Sequence[power_board.Placed], size: int, most: int) -> Board:
    """The best of those found, none of them in the lower half: where others are left out, places stay empty."""
    limit = named_at_most(size, most)
    upper = [one for one in found if one.rank <= named_at_most(size, size)]
    more = len(upper) > limit and upper[limit].rank == upper[limit - 1].rank
    return Board(kind, field, when, tuple(upper[:limit]), more, size, limit, halved=limit < most)


def own_place(say: Wording, board: Board, row: OrgPowerIndex, before: OrgPowerIndex | None) -> str:
    """Own rank, how it moved since the month before, and what lacks to the board; never who is behind."""
    moved = before.rank - row.rank if before is not None and before.field == row.field else 0
    name = "board.place_up" if moved > 0 else "board.place_down" if moved < 0 else "board.place"
    text = say(name, rank=row.rank, size=row.field_size, moved=abs(moved))
    return text + lacks(say, board, row.score)


def lacks(say: Wording, board: Board, score: int) -> str:
    """What `score` lacks to the last place of a full board, in words; empty when nothing does."""
    missing = board.places[-1].score - score if board.places and len(board.places) == board.limit else 0
    return say("board.missing", places=board.limit, missing=two_places(missing)) if missing > 0 else ""
