"""The rule files as they are shipped, and what is wrong with altered ones."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scoring.catalogue import RulesError, load, shipped

DAY = date(2026, 12, 31)
CATALOGUE = shipped()


def mistakes(directory: Path) -> tuple[str, ...]:
    with pytest.raises(RulesError) as caught:
        load(directory)
    assert str(caught.value) == "\n".join(caught.value.mistakes)
    return caught.value.mistakes
