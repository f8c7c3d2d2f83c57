"""Values side by side as arrays: the same as parsing JSON, and nothing that JSON would read otherwise."""

from __future__ import annotations

import json
from datetime import datetime

import numpy as np
import pytest
from sqlalchemy import Engine
from sqlalchemy import text as sql
from sqlmodel import Session

from db import city_collected, period_values
from db.city_columns import _SECONDS, View
from db.entry_texts import entries, text_of
from scoring.places import Places
from scoring.value_reading import _Words, read_values
from tests.cast import CITY, DAY, LIANGFENG, SHAZHOU
from tests.conftest import ZONE


def _read(objects: list[str]) -> list[dict[str, str]] | None:
    told = entries("".join(objects), len(objects))
    if told is None:
        return None
    found: list[dict[str, str]] = [{} for _ in objects]
    for n, (row, key, value) in enumerate(
        zip(told.row.tolist(), told.key.tolist(), told.value.tolist(), strict=True)
    ):
        found[row][text_of(key)] = told.long.get(n, text_of(value))
    return found


@pytest.mark.parametrize(
    "objects",
    [
        [{"C01": "1"}],
        [{"C01": "true", "SE01": "0.9536"}, {"C01": ""}, {"A": "-0.5", "B": "12345678", "C": "1"}],
        [{"C01": "123456789", "C02": "1"}, {"C01": "a long value, with {brackets}: and a comma"}],
        [{"C01": "},{"}, {":": "{"}],
    ],
)
def test_entries_are_read_as_json_reads_them(objects: list[dict[str, str]]) -> None:
    assert _read([json.dumps(one, separators=(",", ":")) for one in objects]) == objects


@pytest.mark.parametrize(
    "objects",
    [
        ["{}"],
        ['{"C01":"1"}', "{}"],
        ["{}", '{"C01":"1"}'],
        ['{"C01": "1"}'],
        ['{"C01":"1", "C02":"1"}'],
        ['{"C01":"1"}', ' {"C02":"1"}'],
        ['{"C01":"\\""}'],
        ['{"C01":"\\u0041"}'],
        ['{"C01":"红"}'],
        ['{"C01":1}'],
        ['{"C01":null,"C02":"1"}'],
        ['{"C01":{"C02":"1"}}'],
        ['{"LONGNAMES":"1"}'],
        ['{"C01":"1"}{"C01":"1"}'],
        [""],
    ],
)
def test_what_is_written_in_another_way_is_left_to_json(objects: list[str]) -> None:
    assert _read(objects) is None


def test_values_are_the_same_in_columns_and_parsed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short, long and empty ones; a pair that only others have is known, too."""
    view = View(DAY, ZONE)
    given = [
        (LIANGFENG, "C02", "2026-03", "1"),
        (LIANGFENG, "C03", "2026-03", "0.123456789"),
        (SHAZHOU, "C02", "2026-03", "0.5"),
        (SHAZHOU, "C02", "2026Q1", ""),
        (CITY, "C09", "2026-02", "1"),
    ]
    places = Places(np.array([LIANGFENG, SHAZHOU], dtype=np.int64))

    def read(session: Session) -> dict[tuple[str, str], list[str]]:
        found = read_values(session, view, places)
        assert found.known == {(indicator, period) for _, indicator, period, _ in given}
        return {pair: [found.texts[code] for code in codes.tolist()] for pair, codes in found.columns.items()}

    with Session(engine) as session:
        period_values.put(session, given)
        laid = read(session)
        monkeypatch.setattr(city_collected, "entries", lambda *_: None)
        assert read(session) == laid
    assert laid == {
        ("C02", "2026-03"): ["1", "0.5"],
        ("C03", "2026-03"): ["0.123456789", ""],
        ("C02", "2026Q1"): ["", ""],
        ("C09", "2026-02"): ["", ""],
    }


def test_words_that_share_a_slot_keep_their_own_numbers() -> None:
    texts = [str(n) for n in range(200_000)]  # three times as many as there are slots
    numbers = {text: n for n, text in enumerate(texts)}
    words = _Words(numbers.__getitem__)
    every = np.array([int.from_bytes(text.encode(), "little") for text in texts], dtype=np.uint64)
    for _ in range(2):
        assert words(every).tolist() == list(range(len(texts)))
    assert words(every[:0]).tolist() == []


def test_instants_are_counted_in_whole_seconds_down(engine: Engine) -> None:
    """The last moment of a day belongs to it, whatever stands behind its seconds."""
    told = ("2025-12-31 15:59:59.999000", "2025-12-31 16:00:00.000000", "2026-11-20 15:59:59.501000")
    with Session(engine) as session:
        dialect = session.connection().dialect.name
        kind = "TIMESTAMPTZ " if dialect == "postgresql" else ""
        zone = "+00" if kind else ""
        for text in told:
            column = f"{kind}'{text}{zone}'"
            at = datetime.fromisoformat(f"{text}+00:00")
            query = f"SELECT {_SECONDS[dialect].format(column)}"
            assert session.execute(sql(query)).scalar_one() == int(at.timestamp())
