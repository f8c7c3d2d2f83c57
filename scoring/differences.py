"""Which stored results a computation changes: only these are written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from itertools import repeat
from typing import Any

import numpy as np
import orjson
from sqlmodel import Session

from db import city_results
from db.bulk import Row
from db.city_results import FORTRESS, Difference, MarkDifference
from scoring.catalogue import Catalogue
from scoring.city import CityIndices
from scoring.ratios import Ints

FIGURES = ("common", "specific", "deductions", "base", "appraisal", "score", "activities", "stars", "rank")
PART = 20_000  # rows that stand as Python objects at once


def pioneer(rules: Catalogue, found: CityIndices, standing: tuple[Ints, Ints]) -> Difference:
    """Members whose index is new, changed or gone. standing: as `city_results.pioneer` gives it."""
    result, ids = found.members.result, found.members.ids
    figures = np.stack([result.base, result.positive, result.conduct, result.score, result.stars])
    stored, old = standing
    near = np.minimum(np.searchsorted(stored, ids), max(0, len(stored) - 1))
    same = np.zeros(len(ids), dtype=bool)
    if len(stored):
        same = (stored[near] == ids) & (old[near] == city_results.packed(figures))
    changed = np.flatnonzero(~same)
    gone = np.setdiff1d(stored, ids, assume_unique=True).tolist()
    fixed = (found.as_of.isoformat(), rules.pioneer.scheme.id)
    parts = [changed[start : start + PART] for start in range(0, len(changed), PART)]
    put = [_Rows(ids, figures, part, found.as_of.year, fixed) for part in parts]
    return Difference("pioneer_index", list(put), [(one, found.as_of.year) for one in gone], len(changed))


class _Rows:
    """Rows of the pioneer index that become Python objects only when they are written."""

    def __init__(self, ids: Ints, figures: Ints, part: Ints, year: int, fixed: tuple[str, str]) -> None:
        self._ids, self._figures, self._year, self._fixed = ids[part], figures[:, part], year, fixed

    def __iter__(self) -> Iterator[Row]:
        columns = (self._ids.tolist(), repeat(self._year), *self._figures.tolist(), *map(repeat, self._fixed))
        return zip(*columns, strict=False)


def fortress(
    session: Session, rules: Catalogue, found: CityIndices, *, whole: bool = False
) -> tuple[Difference, MarkDifference]:
    """Branches whose index is new, changed or gone, and the mark of the year.

    When the mark says that these figures are stored, nothing is compared row by row. whole: compare all the same.
    """
    difference, marked = Difference("fortress_index"), MarkDifference(seen=city_results.marks(session))
    year, mark = f"{found.as_of:%Y}", _fortress_mark(rules, found)
    known = marked.seen.get(year) == mark
    if not known:
        marked.add([(year, mark)], [], 1)
    if whole or not known:
        _compare_fortress(session, rules, found, difference)
    return difference, marked


def _fortress_mark(rules: Catalogue, found: CityIndices) -> str:
    """Of everything that the rows are made from; the month, because ranks of the month before hang on it."""
    fixed = [rules.fortress.scheme.id, f"{found.as_of:%Y-%m}", [(one.id, one.field) for one in found.branches]]
    mark, one = sha256(orjson.dumps(fixed)), found.fortress
    for column in (*(getattr(one, name) for name in FIGURES), one.veto, *one.parts.values()):
        mark.update(np.ascontiguousarray(column).tobytes())
    return mark.hexdigest()


def _compare_fortress(session: Session, rules: Catalogue, found: CityIndices, difference: Difference) -> None:
    stored = city_results.fortress(session, found.as_of.year)
    fixed = {"year": found.as_of.year, "as_of": found.as_of, "rules": rules.fortress.scheme.id}
    rows: list[Row] = []
    for made in _fortress_rows(found):
        old = stored.pop(made["organization_id"], None)
        made |= {"rank_before": _rank_before(old, found.as_of), **fixed}
        if old is None or made != old | {"as_of": found.as_of}:
            made |= {"parts": orjson.dumps(made["parts"]).decode(), "as_of": found.as_of.isoformat()}
            rows.append([made[name] for name in FORTRESS])
    difference.put, difference.count = [rows], len(rows)
    difference.gone = [(one, found.as_of.year) for one in stored]


def _fortress_rows(found: CityIndices) -> Iterator[dict[str, Any]]:
    one = found.fortress
    columns = [getattr(one, name).tolist() for name in FIGURES]
    vetoes, parts = one.veto.tolist(), {name: column.tolist() for name, column in one.parts.items()}
    for place, branch in enumerate(found.branches):
        made: dict[str, Any] = {name: column[place] for name, column in zip(FIGURES, columns, strict=True)}
        made["appraisal"] = None if made["appraisal"] < 0 else made["appraisal"]
        made |= {"organization_id": branch.id, "field": branch.field, "veto": vetoes[place]}
        made["parts"] = {name: column[place] for name, column in parts.items()}
        yield made


def _rank_before(old: dict[str, Any] | None, as_of: date) -> int | None:
    """The rank at the end of the last month: the stored one, when that stands since an earlier month."""
    if old is None:
        return None
    day = old["as_of"]
    rank: int = old["rank"]
    before: int | None = old["rank_before"]
    return rank if (day.year, day.month) < (as_of.year, as_of.month) else before
