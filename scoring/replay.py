"""A past day as it was known then: all indices from what had been written down by the end of that day."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db.city_columns import View, end_of
from db.duties import CITY
from scoring.city import CityIndices, compute_city


def replay(session: Session, day: date, *, zone: ZoneInfo = CITY) -> CityIndices:
    """All indices of `day`, from lines written down by its end, with the rules in force on it; reads only.

    What is booked, approved, transferred or corrected later does not exist, whatever day it is about. Facts that
    were stored before their instants were kept count as always known.
    """
    return compute_city(session, View(day, zone, lines=True, known_at=end_of(day, zone)))
