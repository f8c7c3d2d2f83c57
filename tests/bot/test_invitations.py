"""Bind codes on the screen and on paper: each binds its member, once, and stands nowhere else."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

import pytest
import segno
from sqlalchemy import text
from sqlmodel import Session

from bot import invitations
from bot.settings import Settings
from db.accounts import BindCode
from db.members import Member
from handlers.binding import hash_of
from tests.cast import ALICE, BOB, CHARLIE, MO, NAMES, NOON

SHEET_CODE = re.compile(r'class="code">(\d{4})-(\d{4})<')


@pytest.fixture
def session(engine):
    with Session(engine) as made:
        yield made


@pytest.fixture
def settings():
    """As the environment of a test has them, with an address that the platforms reach."""
    return Settings(public_url="https://chat.example.org/")


def codes(session) -> list[BindCode]:
    return list(session.execute(text("SELECT * FROM bind_code")))


@pytest.mark.parametrize("wanted", ["M101", "101"])
async def test_a_code_binds_its_member_by_roll_number_and_by_id(session, say, wanted):
    made = invitations.for_member(session, wanted, NOON)
    session.commit()
    assert re.fullmatch(r"\d{8}", made.code)
    assert (await say("new phone", f"绑定 {made.code}")).text.startswith(f"绑定成功。{NAMES[ALICE]}")
    assert not (await say("thief", f"绑定 {made.code}")).text.startswith("绑定成功")


async def test_a_code_lasts_ten_minutes_to_the_second(session, say, clock):
    early, late = (invitations.for_member(session, "M102", NOON).code for _ in range(2))
    session.commit()
    clock.now = NOON + timedelta(minutes=10) - timedelta(seconds=1)
    assert NAMES[BOB] in (await say("in time", f"绑定 {early}")).text
    clock.now = NOON + timedelta(minutes=10)
    assert NAMES[BOB] not in (await say("too late", f"绑定 {late}")).text


def test_a_roll_number_that_looks_like_an_id_goes_before_the_id(session):
    session.get(Member, CHARLIE).code = str(ALICE)
    session.flush()
    assert invitations.for_member(session, str(ALICE), NOON).name == NAMES[CHARLIE]


@pytest.mark.parametrize(
    "wanted", ["M999", "0", "-1", "", "１０１", "99999999999", "2147483648", "101; DROP TABLE member"]
)
def test_an_unknown_member_gets_no_code(session, wanted):
    with pytest.raises(invitations.NotPossible, match="there is no member"):
        invitations.for_member(session, wanted, NOON)
    assert codes(session) == []


def test_one_who_has_left_gets_no_code_that_would_never_bind(session):
    session.get(Member, BOB).status = "transferred"
    session.flush()
    with pytest.raises(invitations.NotPossible, match="member M102 is not active: transferred"):
        invitations.for_member(session, "M102", NOON)


def test_what_is_read_out_holds_the_words_to_send_and_a_link_when_there_is_an_address(session, settings):
    made = invitations.Invitation("艾丽丝", "01234567")
    assert made.text(Settings(public_url="")).splitlines() == [
        "艾丽丝: 绑定 0123-4567",
        "(10 min, once / 10 分钟内有效，只能用一次)",
    ]
    assert made.text(settings).splitlines()[2] == "https://chat.example.org/?start=01234567"


@pytest.fixture
def unbound(session):
    """Alice, Bob and Mo have no chat yet."""
    for person in (ALICE, BOB, MO):
        session.execute(text("DELETE FROM chat WHERE member_id = :id"), {"id": person})
    session.commit()


async def test_a_sheet_has_a_code_for_everybody_without_a_chat_and_each_binds(
    session, unbound, say, clock, tmp_path
):
    path = tmp_path / "new folder" / "sheet.html"
    assert invitations.sheet(session, "B10", NOON, path, Settings(public_url="")) == 3
    session.commit()
    page = path.read_text(encoding="utf-8")
    found = ["".join(pair) for pair in SHEET_CODE.findall(page)]
    assert len(found) == len(set(found)) == 3
    clock.now = NOON + timedelta(days=30) - timedelta(seconds=1)  # handed out at the next meeting
    for code, person in zip(found, (ALICE, BOB, MO), strict=True):
        assert NAMES[person] in page
        assert NAMES[person] in (await say(f"phone {person}", f"绑定 {code}")).text
    assert NAMES[CHARLIE] not in page


def test_the_picture_on_a_sheet_holds_the_link_or_the_words(session, unbound, settings, tmp_path):
    for made, content in ((settings, "https://chat.example.org/?start={}"), (Settings(public_url=""), "绑定 {}")):
        path = tmp_path / "sheet.html"
        invitations.sheet(session, "10", NOON, path, made)
        page = path.read_text(encoding="utf-8")
        for pair in SHEET_CODE.findall(page):
            assert segno.make(content.format("".join(pair)), error="m").svg_inline(scale=4, border=2) in page


def test_a_sheet_is_private_from_its_first_byte_even_over_an_open_file(session, unbound, settings, tmp_path):
    path = tmp_path / "sheet.html"
    path.write_text("an older one")
    path.chmod(0o666)
    invitations.sheet(session, "B10", NOON, path, settings)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "an older one" not in path.read_text(encoding="utf-8")


def test_a_name_cannot_write_markup_onto_a_sheet(session, unbound, settings, tmp_path):
    session.get(Member, ALICE).name = "<script>alert(1)</script>"
    session.flush()
    invitations.sheet(session, "B10", NOON, tmp_path / "sheet.html", settings)
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_an_unknown_branch_gets_no_sheet(session, settings, tmp_path):
    for wanted in ("B99", "99", "2147483648"):
        with pytest.raises(invitations.NotPossible, match="there is no branch"):
            invitations.sheet(session, wanted, NOON, tmp_path / "sheet.html", settings)
    assert list(tmp_path.glob("*.html")) == []


def test_a_code_stands_neither_in_the_database_nor_in_a_log(session, unbound, settings, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    one = invitations.for_member(session, "M101", NOON).code
    invitations.sheet(session, "B10", NOON, tmp_path / "sheet.html", settings)
    session.commit()
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    known = [one, *("".join(pair) for pair in SHEET_CODE.findall(page))]
    stored = str(codes(session))
    assert hash_of(one) in stored
    for code in known:
        assert code not in stored
        assert code not in caplog.text
        assert f"{code[:4]}-{code[4:]}" not in caplog.text
