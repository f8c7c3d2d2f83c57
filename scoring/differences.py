"""Which stored results a computation changes: only these are written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import repeat
from typing import Any

import numpy as np
import orjson
from sqlmodel import Session

from db import city_results
from db.bulk import Row
from db.city_results import FORTRESS, Difference
from scoring.catalogue import Catalogue
from scoring.city import CityIndices
from scoring.ratios import Ints

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


def fortress(session: Session, rules: Catalogue, found: CityIndices) -> Difference:
    """Branches whose index is new, changed or gone."""
    difference = Difference("fortress_index")
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
    return difference


def _fortress_rows(found: CityIndices) -> Iterator[dict[str, Any]]:
    one = found.fortress
    names = ("common", "specific", "deductions", "base", "appraisal", "score", "activities", "stars", "rank")
    columns = [getattr(one, name).tolist() for name in names]
    vetoes, parts = one.veto.tolist(), {name: column.tolist() for name, column in one.parts.items()}
    for place, branch in enumerate(found.branches):
        made: dict[str, Any] = {name: column[place] for name, column in zip(names, columns, strict=True)}
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
