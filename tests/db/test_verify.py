"""Every invariant finds the one corruption that it is there for, and a healthy database has none."""

from __future__ import annotations

import contextlib
import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from db import audit, verify
from db.audit import AuditEvent
from db.database_file import Refused
from db.engine import write_engine
from db.invariants import INVARIANTS
from db.ledger import Entry
from scoring import booking
from tests.cast import ALICE, BOB, NOON, RUI, SUN
from tests.db import a_day
from tests.db.corruptions import AUDIT, CORRUPTIONS, sql


@pytest.fixture
def session(engine):
    """The database after a day in which everything happened, everything right."""
    if engine.dialect.name == "sqlite":  # a table that is to lose its keys is built anew
        with contextlib.closing(engine.raw_connection()) as raw:
            raw.execute("PRAGMA foreign_keys=OFF")
    with Session(engine) as made:
        a_day.live(made)
        made.commit()
        yield made
        made.rollback()


def broken(session: Session) -> dict[str, str]:
    """What is broken; a corruption may take rows away to which others point."""
    found = {finding.id: finding.example for finding in verify.run(session) if finding.broken}
    return {which: example for which, example in found.items() if which != verify.REFERENCES}


@pytest.mark.parametrize(
    ("which", "plant", "example"), CORRUPTIONS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_corruption_is_found_by_its_invariant_and_by_no_other(session, which, plant, example):
    assert broken(session) == {}
    plant(session)
    session.flush()
    found = broken(session)
    assert list(found) == [which]
    assert example is None or found[which] == example


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the other one lets none come about
def test_rows_that_point_to_nothing_are_found(session):
    session.execute(text("UPDATE chat SET member_id = 987654 WHERE id = (SELECT min(id) FROM chat)"))
    (found,) = [one for one in verify.run(session) if one.id == verify.REFERENCES]
    assert (found.broken, found.example.partition(" of ")[2]) == (1, "chat to member")


def test_every_invariant_has_a_corruption_that_it_alone_finds():
    assert {which for which, _, _ in CORRUPTIONS} == {f"V{number}" for number in range(1, len(INVARIANTS) + 2)}


async def test_a_day_of_talk_leaves_nothing_broken(say, look, clock):
    await look(a_day.give_the_project_its_past)
    await look(lambda s: a_day.earn(s, ALICE, 60))
    await say.all(ALICE, "签到 8841", "签到 8841", "签到 7000", "积分", "撤销", "1")
    await say(ALICE, "check_in:8841:undo", kind="button")
    await say.all(BOB, "签到 8841", "签到 9920", "签到 0000", "心愿", "指数", "榜单", "我的")
    await say.all(ALICE, "兑换", "1", "1", "兑换", "1", "1")
    await say.all(BOB, "wishes:new", "一副老花镜", "梁丰社区", "80元", "1")
    await say(RUI, "wish_review:publish:1", kind="button")
    await say.all(ALICE, "心愿", "1", "1")
    await say.all(SUN, "发红信", "1", "1", "关于防汛\n请各网格留人值守。", "7")
    await say("a stranger", "绑定 12345678")
    told = await look(lambda s: [str(finding) for finding in verify.run(s)])
    assert [line for line in told if "BROKEN" in line] == []
    happened = await look(lambda s: set(s.execute(text("SELECT rule_id FROM entry")).scalars()))
    assert {"PB1", "PP1", "REDEEM"} <= happened, "the day was too quiet to prove anything"


def test_a_finding_is_one_line():
    assert str(verify.Finding("V1", "totals equal the index lines", 0, "")) == "V1 ok totals equal the index lines"
    line = "V2 BROKEN wallets equal the wallet lines: 3, for example member 101"
    assert str(verify.Finding("V2", "wallets equal the wallet lines", 3, "member 101")) == line


def test_members_beyond_one_slice_are_looked_at(session, monkeypatch):
    monkeypatch.setattr(verify, "SLICE", 102)
    sql("UPDATE total SET points = points + 1")(session)
    assert {found.id: found.broken for found in verify.run(session) if found.broken} == {"V1": 8}


def test_the_chain_is_followed_over_pages(session, monkeypatch):
    monkeypatch.setattr(verify, "AUDIT_PAGE", 1)
    assert broken(session) == {}
    sql("UPDATE audit_event SET action = 'x' WHERE id = 2", loose="audit_event")(session)
    assert broken(session) == {AUDIT: "audit_event 2"}


def test_it_reads_beside_a_writer_and_cannot_write(session, database_url):
    session.execute(text("UPDATE reward SET active = active"))  # the writer is in the middle of something
    with verify.reading(database_url) as beside:
        assert broken(beside) == {}
        with pytest.raises(DBAPIError, match=r"read-?only"):
            beside.execute(text("DELETE FROM wallet"))


def test_a_missing_or_damaged_database_is_refused(tmp_path):
    (tmp_path / "text.db").write_text("only words " * 100)
    for name in ("missing.db", "text.db"):
        with pytest.raises(Refused), verify.reading(f"sqlite:///{tmp_path / name}"):
            pytest.fail("it was opened")
    assert not (tmp_path / "missing.db").exists()


def test_the_queries_know_the_rules_that_pay_attendance(session):
    """They name the rules themselves, as `db` knows nothing of `scoring`."""
    assert booking.RULES == {"branch": "PB1", "region": "PP1"}
    causes = session.execute(select(Entry.cause).where(Entry.member_id == ALICE)).scalars().all()
    assert {booking.cause_of(1, 1), booking.cause_of(1, 2), booking.cause_of(2, 1)} <= set(causes)


def test_two_audited_acts_at_once_make_one_chain(session, database_url):
    audit.record(session, at=NOON, actor_id=SUN, action="a", subject="s")
    second = write_engine(database_url)

    def act() -> None:
        with Session(second) as other:
            audit.record(other, at=NOON, actor_id=RUI, action="b", subject="s")
            other.commit()

    thread = threading.Thread(target=act)
    thread.start()
    thread.join(timeout=0.2)  # long enough to come through, if nothing kept it back
    session.commit()
    thread.join(timeout=30)
    second.dispose()
    assert broken(session) == {}
    assert session.execute(select(AuditEvent.action).order_by(AuditEvent.id)).scalars().all()[-2:] == ["a", "b"]
