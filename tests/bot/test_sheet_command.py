"""`sheet` and `remit` on the command line: the same verdicts as in the chat, and nothing without being asked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlmodel import Session, select
from typer.testing import CliRunner

from bot.__main__ import app
from bot.sheets import Refusal, read
from db import migrate
from db.engine import write_engine
from db.negatives import Negative
from tests import cast
from tests.cast import ALICE, OLGA
from tests.conftest import ZONE

TODAY = datetime.now(UTC).astimezone(ZONE).date()
HEADER = "organization,indicator,period,value,note\n"
CASE = f"B10,N02,{TODAY},2,\n"


@pytest.fixture
def city(tmp_path, monkeypatch):
    """A migrated database with the cast, to which the settings point; the folder to work in."""
    url = f"sqlite:///{tmp_path / 'city.db'}"
    migrate.upgrade(url)
    engine = write_engine(url)
    with Session(engine) as session:
        cast.populate(session)
        session.commit()
    engine.dispose()
    monkeypatch.setenv("HONGXIN_DATABASE_URL", url)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words, typed=None):
    result = CliRunner().invoke(app, [*words, "--by", f"M{OLGA}"], input=typed, prog_name="python -m bot")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def counts(city):
    engine = write_engine(f"sqlite:///{city / 'city.db'}")
    with Session(engine) as session:
        found = list(session.exec(select(Negative.count)).all())
    engine.dispose()
    return found


def test_a_sheet_is_recorded_when_it_is_wanted_and_not_before(city):
    (city / "may.csv").write_text(HEADER + CASE, encoding="utf-8")
    assert run("sheet", "may.csv", typed="n\n").exit_code == 0
    assert counts(city) == []
    done = run("sheet", "may.csv", "--yes")
    assert (done.exit_code, counts(city)) == (0, [2])
    assert f"2 B10 N02 {TODAY}: 新增" in done.stdout
    assert "不变 1 行" in run("sheet", "may.csv", "--yes").stdout
    assert counts(city) == [2]


def test_refused_rows_and_files_end_with_their_reasons(city):
    (city / "bad.csv").write_text(HEADER + CASE + "B99,N02,2026-01-01,1,\n", encoding="utf-8")
    refused = run("sheet", "bad.csv", "--yes")
    assert (refused.exit_code, counts(city)) == (1, [])
    assert "3 B99 N02 2026-01-01: 没有编号为 B99 的党组织" in refused.stdout
    (city / "no.csv").write_text("a,b\n", encoding="utf-8")
    unread = run("sheet", "no.csv")
    assert (unread.exit_code, "不认识的列" in unread.stderr) == (2, True)
    assert run("sheet", "missing.csv").exit_code == 2


def test_the_template_holds_what_the_remit_names(city):
    assert run("remit").stdout.strip() == "all"
    assert run("remit", "uc04", "N02").stdout.strip() == "N02, UC04"
    assert run("remit", "XX9").exit_code == 2
    assert "1 rows to fill in" in run("sheet", "form.xlsx", "--template").stdout
    with pytest.raises(Refusal, match="all_blank"):
        read((city / "form.xlsx").read_bytes())
    assert run("sheet", "form.xlsx", "--template").exit_code == 2  # it stands already
    assert run("remit", "--all").stdout.strip() == "all"


def test_only_a_department_hands_in(city):
    (city / "may.csv").write_text(HEADER + CASE, encoding="utf-8")
    for code in (f"M{ALICE}", "M0"):
        result = CliRunner().invoke(app, ["sheet", "may.csv", "--by", code, "--yes"])
        assert result.exit_code == 2
    assert counts(city) == []
