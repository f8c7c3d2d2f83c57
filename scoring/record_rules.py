"""How the rules get their facts, as it stands in `records.toml`, checked against the rules themselves."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from scoring.catalogue import RULES, Catalogue, shipped
from scoring.record_scheme import RecordScheme
from scoring.rule_files import RulesError, read_scheme

FILE = "records.toml"


def load_records(catalogue: Catalogue, directory: Path = RULES) -> RecordScheme:
    """The file in `directory`. Raises RulesError with every mistake in it."""
    mistakes: list[str] = []
    scheme = read_scheme(RecordScheme, directory, FILE, mistakes)
    if scheme is not None:
        mistakes.extend(scheme.mistakes(catalogue.pioneer))
    if scheme is None or mistakes:
        raise RulesError(mistakes)
    return scheme


@cache
def record_rules() -> RecordScheme:
    """The file that comes with the service. Raises RulesError."""
    return load_records(shipped())
