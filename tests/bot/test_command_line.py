"""The command line as an operator types it. Few words go through a real process, as each start takes a second."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.dispatch import Dispatcher
from bot.settings import SECRETS
from bot.writer import Writer
from db.engine import write_engine
from handlers.conversation import Incoming
from scoring.catalogue import RULES
from tests.bot.commands import CANARY, MEMBERS, alter, code_in, rows, run, started
from tests.cast import ALICE, BOB, NAMES
from tests.conftest import ZONE


@pytest.fixture
async def speak(city):
    """`await speak("绑定 12345678")`: a new chat on the command line's own database, at the present moment."""
    async with contextlib.AsyncExitStack() as stack:
        writer = Writer(write_engine(f"sqlite:///{city}"), workers=1)
        stack.callback(writer.close)
        dispatcher = Dispatcher(writer, zone=ZONE, clock=lambda: datetime.now(UTC), demo=False)

        async def speaks(address: str, words: str) -> str:
            incoming = Incoming(
                channel="web", address=address, key=uuid.uuid4().hex, text=words, sent_at=datetime.now(UTC)
            )
            return str((await dispatcher.answer(incoming)).message.text)

        yield speaks


def test_help_names_every_command():
    told = run("--help").stdout
    for word in [
        "run",
        "demo",
        "sample",
        "invite",
        "menu",
        "import",
        "rules",
        "verify",
        "backup",
        "restore",
        "check",
    ]:
        assert f" {word} " in told, word
    assert run().exit_code == 2
    assert run().output.strip() == told.strip()


def test_an_unknown_command_is_refused_with_a_way_to_help():
    told = run("inivte")
    assert told.exit_code == 2
    assert "No such command 'inivte'" in told.stderr
    assert "--help" in told.stderr


async def test_an_invitation_through_the_real_process_binds(city, speak):
    for wanted, person in (("M101", ALICE), (str(BOB), BOB)):
        told = started("invite", wanted)
        assert (told.returncode, told.stderr) == (0, "")
        assert told.stdout.startswith(NAMES[person])
        assert (await speak(f"phone {person}", f"绑定 {code_in(told.stdout)}")).startswith("绑定成功。")


async def test_a_code_is_printed_and_stands_in_no_log_and_no_file(city, speak, caplog):
    caplog.set_level(logging.DEBUG)
    told = run("invite", "M101")
    code = code_in(told.stdout)
    assert told.stderr == ""
    assert code not in caplog.text
    assert code.encode() not in b"".join(path.read_bytes() for path in city.parent.iterdir())
    assert "成功" in await speak("new", f"绑定 {code}")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("invite", "M999"), "there is no member M999"),
        (("invite", "--branch", "B99"), "there is no branch B99"),
        (("invite",), "give either a member or --branch"),
        (("invite", "M101", "--branch", "B10"), "give either a member or --branch"),
        (("invite", "--branch", "B10", "--to", "city.db/sheet.html"), "city.db"),
        (("invite", "--branch", "B10", "--to", "."), "directory"),
    ],
)
def test_an_invitation_that_cannot_be_made_says_why(city, words, why):
    told = run(*words)
    assert told.exit_code == 2
    assert why in told.stderr
    assert rows(city, "SELECT count(*) FROM bind_code") == [(0,)]


def test_a_sheet_for_a_branch_goes_into_a_private_file(city):
    alter(city, "DELETE FROM chat WHERE member_id IN (101, 102)")
    told = run("invite", "--branch", "B10")
    assert (told.exit_code, told.stdout) == (0, "2 codes in invitations-B10.html\n")
    sheet = city.parent / "invitations-B10.html"
    assert sheet.stat().st_mode & 0o777 == 0o600
    page = sheet.read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert not re.search(r"\d{8}", told.output)


@pytest.fixture
def roll(city):
    """A csv file with one new member."""
    path = city.parent / "members.csv"
    path.write_text(MEMBERS, encoding="utf-8")
    return path


def members(city: Path) -> list[tuple[object, ...]]:
    return rows(city, "SELECT name FROM member WHERE code LIKE 'N%'")


def test_an_import_shows_its_verdicts_and_asks_first(city, roll):
    told = run("import", "members.csv", typed="n\n")
    assert told.exit_code == 0
    assert told.stdout.startswith("党员 2 N1: new\n1 new, 0 changed, 0 same, 0 refused\nimport? [y/N]: n")
    assert members(city) == []
    assert "imported" in run("import", "members.csv", typed="y\n").stdout
    assert members(city) == [("郑新",)]
    again = run("import", "members.csv")
    assert (again.exit_code, again.stdout) == (0, "0 new, 0 changed, 1 same, 0 refused\n")


def test_an_import_that_nobody_answers_is_not_made(city, roll):
    assert run("import", "members.csv", typed="").exit_code == 1
    assert members(city) == []


def test_yes_imports_without_asking_unless_a_row_is_refused(city, roll):
    roll.write_text(MEMBERS + "N2,李四,B77,2021-05-01\n", encoding="utf-8")
    refused = run("import", "members.csv", "--yes")
    assert refused.exit_code == 1
    assert "党员 3 N2: refused 支部编号 B77 is not known" in refused.stdout
    assert members(city) == []
    roll.write_text(MEMBERS, encoding="utf-8")
    assert run("import", "members.csv", "--yes").exit_code == 0
    assert members(city) == [("郑新",)]


def test_a_template_is_written_once_and_never_over_a_roll(city):
    assert (
        run("import", "--template", "roll.xlsx").stdout
        == "roll.xlsx: fill it in, then: python -m bot import roll.xlsx\n"
    )
    filled = (city.parent / "roll.xlsx").read_bytes()
    told = run("import", "--template", "roll.xlsx")
    assert (told.exit_code, told.stderr) == (2, "roll.xlsx exists already\n")
    assert (city.parent / "roll.xlsx").read_bytes() == filled
    assert run("import", "--template", "roll.csv").exit_code == 2
    assert run("import", "--template", "missing/roll.xlsx").exit_code == 2


def test_what_is_no_roll_is_refused_in_one_line(city):
    told = run("import", "nothing.xlsx")
    assert (told.exit_code, told.stderr) == (2, "nothing.xlsx: no such file\n")


def test_rules_are_listed_and_a_misspelt_key_is_told_with_its_place(place):
    told = run("rules")
    assert told.exit_code == 0
    assert "PB1         参加本支部活动" in told.stdout
    assert "still our own proposal (status P)" in told.stdout
    shutil.copytree(RULES, place / "mine")
    path = place / "mine" / "pioneer.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("cap    = 30", "kap    = 30", 1), encoding="utf-8")
    wrong = run("rules", "--folder", "mine")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "pioneer.toml: rule 1, terms 1, kap: " in wrong.stderr
    assert run("rules", "--folder", "nowhere").exit_code == 1


def test_check_says_ready_or_what_stops(city, monkeypatch):
    assert run("check").stdout == "ready to start\n"
    monkeypatch.setenv("HONGXIN_HOST", "0.0.0.0")
    warned = run("check")
    assert (warned.exit_code, warned.stdout) == (0, "ready to start, with warnings\n")
    assert warned.stderr.startswith("W051 ")
    monkeypatch.setenv("HONGXIN_PORT", "no")
    stopped = run("check")
    assert (stopped.exit_code, stopped.stdout) == (1, "")
    assert stopped.stderr.startswith("E001 HONGXIN_PORT: ")
    assert run("verify").exit_code == 2


@pytest.mark.parametrize(
    "words", [["demo"], ["sample"], ["invite", "3"], ["verify"], ["backup", "copies"], ["restore", "copy.db"]]
)
@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("DATABASE_URL", "nonsense", "E010"),
        ("DATABASE_URL", "sqlite://", "E011"),
        ("PORT", "99999", "E060"),
        ("LOG_LEVEL", "LOUD", "E062"),
    ],
)
def test_no_command_begins_with_a_setting_that_cannot_be_used(city, monkeypatch, words, name, value, problem):
    monkeypatch.setenv(f"HONGXIN_{name}", value)
    done = run(*words)
    assert done.exit_code == 2
    assert done.stderr.startswith(problem)
    assert [path.name for path in city.parent.iterdir()] == ["city.db"]


def test_no_command_shows_a_secret_that_is_wrong(city, monkeypatch):
    for name in SECRETS:
        monkeypatch.setenv(f"HONGXIN_{name.upper()}", CANARY)
    monkeypatch.setenv("HONGXIN_WECHAT_APP_ID", "wx1")
    real = started("check")
    assert real.returncode == 1
    assert {"E030", "E041"} <= {line.split()[0] for line in real.stderr.splitlines()}
    assert CANARY not in real.stdout + real.stderr
    for words in (("run",), ("menu",), ("verify",), ("invite", "M101")):
        assert CANARY not in run(*words).output
    monkeypatch.setenv("HONGXIN_DATABASE_URL", f"postgresql://hongxin:{CANARY}@127.0.0.1:1/x")
    for words in (("check",), ("verify",), ("invite", "M101"), ("backup",)):
        told = run(*words)
        assert told.exit_code, words
        assert CANARY not in told.output


def test_menus_need_an_official_account(city):
    told = run("menu")
    assert (told.exit_code, told.stderr) == (2, "WeChat is not configured: README, section WeChat\n")


def test_a_sample_city_is_told_as_json_and_only_into_an_empty_database(place):
    told = started("sample", "--size", "3", "--seed", "7", "--json")
    assert told.returncode == 0, told.stderr
    made = json.loads(told.stdout)
    assert (made["branches"], len(made["activities"])) == (3, 2)
    assert {"member", "secretary", "mobile"} <= set(made["people"])
    assert run("verify").exit_code == 0
    again = run("sample")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "the database holds organisations already" in again.stderr
