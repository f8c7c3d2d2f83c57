"""Every invariant finds the one corruption that it is there for, and a healthy database has none."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from db import attendance, audit, ledger, schema, values, verify
from db.audit import AuditEvent
from db.database_file import Refused
from db.engine import write_engine
from db.invariants import INVARIANTS
from db.ledger import Entry
from scoring import booking
from tests.cast import ALICE, BOB, CHARLIE, DAY, KE, MO, NOON, RUI, SUN
from tests.db import a_day

AUDIT = f"V{len(INVARIANTS) + 1}"


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
    return {finding.id: finding.example for finding in verify.run(session) if finding.broken}


def loosen(session: Session, table: str) -> None:
    """Take away what keeps the table's rows right: unique keys, checks and triggers."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        for statement in (f"CREATE TABLE loose AS SELECT * FROM {table}", f"DROP TABLE {table}"):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"ALTER TABLE loose RENAME TO {table}")
        return
    names = text(
        "SELECT conname FROM pg_constraint WHERE conrelid = CAST(:name AS regclass) AND contype IN ('u', 'c')"
    )
    for (name,) in session.execute(names, {"name": table}).all():
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for (name,) in session.execute(
        text("SELECT indexname FROM pg_indexes WHERE tablename = :name"), {"name": table}
    ).all():
        if name.startswith("uq_"):
            connection.exec_driver_sql(f"DROP INDEX {name}")
    connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")


def sql(*statements: str, loose: str = "") -> Callable[[Session], None]:
    """A corruption in plain SQL; `loose`: the table that would have refused it."""

    def plant(session: Session) -> None:
        if loose:
            loosen(session, loose)
        for statement in statements:
            assert session.execute(text(statement)).rowcount, f"nothing was planted by {statement}"
        if session.connection().dialect.name == "postgresql" and loose:
            session.execute(text(f"ALTER TABLE {loose} ENABLE TRIGGER USER"))
        schema.guard(session.connection())

    return plant


def recorded(statement: str, loose: str = "") -> Callable[[Session], None]:
    """Record a value, and spoil it then."""

    def plant(session: Session) -> None:
        key = {"organization_id": 10, "indicator_id": "C02", "period": "2026-05"}
        values.record(session, **key, value="1", collect="declare", cause="declaration:900", recorded_at=NOON)
        sql(statement, loose=loose)(session)

    return plant


def booked(member_id: int, rule_id: str, cause: str, points: int, **more: bool) -> Callable[[Session], None]:
    """A line with its totals and its wallet that nothing else knows of."""

    def plant(session: Session) -> None:
        values = {"member_id": member_id, "rule_id": rule_id, "cause": cause, "points": points}
        assert ledger.book(session, **values, day=DAY, booked_at=NOON, **more)

    return plant


def taken_back(member_id: int, cause: str) -> Callable[[Session], None]:
    """A line undone without what it was booked for."""

    def plant(session: Session) -> None:
        ledger.reverse(session, ledger.line(session, member_id, cause), booked_at=NOON, reason="")

    return plant


def attended(activity_id: int, member_id: int, mode: str) -> Callable[[Session], None]:
    """An attendance that paid nothing."""

    def plant(session: Session) -> None:
        attendance.record(session, activity_id=activity_id, member_id=member_id, mode=mode, evidence="", at=NOON)

    return plant


def unguarded(session: Session) -> None:
    if session.connection().dialect.name == "sqlite":
        session.execute(text("DROP TRIGGER entry_no_delete"))
    else:
        session.execute(text("ALTER TABLE entry DISABLE TRIGGER entry_append_only"))


SAME_LINE = """INSERT INTO entry SELECT 900, member_id, organization_id, rule_id, terms_from, cause, points, hundredths, day,
               in_index, in_wallet, reason, booked_at FROM entry WHERE member_id = 102 AND rule_id = 'PP5'"""
SECOND_CLAIM = """INSERT INTO wish_claim (id, wish_id, member_id, state, claimed_at, due_at, report)
                  SELECT 900, wish_id, 110, 'live', claimed_at, due_at, '' FROM wish_claim WHERE wish_id = 2"""
UNPAID = """INSERT INTO redemption (id, reward_id, member_id, points, state, created_at, closed_at)
            SELECT 900, 1, 102, 20, 'handed_over', created_at, closed_at FROM redemption WHERE id = 3"""
SECOND_OPEN = (
    "INSERT INTO membership (id, member_id, organization_id, from_day) VALUES (900, 103, 20, '2024-01-01')"
)
TWICE_IN = (
    "INSERT INTO inbound SELECT 900, channel, key, address, received_at, reply, taken_at FROM inbound WHERE id = 1"
)


def numbered(title: str) -> str:
    """The id of the invariant with this title."""
    return f"V{1 + next(place for place, one in enumerate(INVARIANTS) if one.title.startswith(title))}"


RECORD, DUES = numbered("a confirmed record"), numbered("dues noted in time")
REMINDER, APPEAL = numbered("a reminder of dues"), numbered("an accepted appeal")
PROPOSED = """INSERT INTO proposal (id, organization_id, rule_id, grade, hundredths, day, words, picked, state, proposed_by,
              proposed_at, objection, decided_as, note) VALUES (900, 10, 'PP4', 'lecture', 100, '2026-06-15', '', '',
              'confirmed', 110, '2026-06-15', '', '', '')"""
ABOUT_MO = "INSERT INTO proposal_member VALUES (900, 103, 'PP4:2026-06-15')"
TICKED = """INSERT INTO dues_payment (member_id, month, organization_id, state, in_time, round, ticked_by, ticked_at)
            VALUES (103, '2026-06', 10, 'paid', true, 1, 110, '2026-06-15')"""
REMINDED = """INSERT INTO dues_reminder (member_id, day, organization_id, months, key, state)
              VALUES (103, '2026-06-05', 10, '2026-05', 'dues_reminder:2026-06-05', 'booked')"""
ACCEPTED = """INSERT INTO appeal (id, entry_id, member_id, organization_id, goes_to, words, state, made_at, answer)
              SELECT 900, min(id), 103, 10, 'committee_reviewer', '', 'accepted', '2026-06-15', '' FROM entry
               WHERE member_id = 103"""

COUNTED, REVIEWED = numbered("an inspection counts"), numbered("nobody posts the own inspection")
LOGGED, LAID = numbered("a value that counts is the last"), numbered("the values of a period")
UNDONE = numbered("a line of the negative list")
INSPECTED = """INSERT INTO inspection (id, organization_id, inspector_id, item_id, value, finding, visit, place, note, day,
               made_at, state, appeal_until, ready_told, posted_by, posted_at, posted_to, ended_reason)
               VALUES (900, 20, 305, 'N04', '1', true, 'open', '', '', '2026-06-15', '2026-06-15', '{state}',
               '2026-06-23', true, {by}, {at}, '', '')"""
CASE = """INSERT INTO negative (organization_id, item_id, day, count, note, cause, recorded_at)
          VALUES (20, 'N04', '2026-06-15', {count}, '', '{cause}', '2026-06-15')"""
POSTED = {"by": 304, "at": "'2026-06-24'"}
ONE_CASE = CASE.format(count=1, cause="inspection:900")
HALF_BACK = CASE.format(count=-2, cause="undo:inspection:900")

DECLARED = numbered("an approved declaration counts")
DECLARATION = """INSERT INTO declaration (id, organization_id, indicator_id, period, closing, version, value, note, state,
                 declared_by, declared_at, decided_by, reason, candidate, drawn, recheck, recheck_reason)
                 VALUES (900, 10, 'C02', '2026-05', '2026-05', 1, '2', '', '{state}', 110, '2026-06-03', {by}, '',
                 false, false, '', '')"""
VALUE = """INSERT INTO value_record (organization_id, indicator_id, period, value, collect, cause, reason, recorded_at)
           VALUES (10, 'C02', '2026-05', '2', 'declare', 'declaration:900', '', '2026-06-03')"""

CORRUPTIONS = [
    (DECLARED, sql(DECLARATION.format(state="approved", by=301)), "declaration 900"),
    (DECLARED, sql(DECLARATION.format(state="submitted", by="NULL"), VALUE), "declaration 900"),
    (DECLARED, sql(DECLARATION.format(state="failed", by=301), VALUE), "declaration 900"),
    (DECLARED, sql(DECLARATION.format(state="approved", by=110), VALUE), "declaration 900"),
    (COUNTED, sql(INSPECTED.format(state="posted", **POSTED)), "inspection 900"),
    (COUNTED, sql(INSPECTED.format(state="noticed", by="NULL", at="NULL"), ONE_CASE), "inspection 900"),
    (REVIEWED, sql(INSPECTED.format(state="posted", **{**POSTED, "by": 305}), ONE_CASE), "inspection 900"),
    (REVIEWED, sql(INSPECTED.format(state="posted", by=304, at="'2026-06-22'"), ONE_CASE), "inspection 900"),
    (UNDONE, sql(INSPECTED.format(state="corrected", **POSTED), ONE_CASE, HALF_BACK), None),
    (RECORD, sql(PROPOSED, ABOUT_MO), f"proposal 900 member {MO}"),
    (RECORD, booked(MO, "PP4", "proposal:900", 2), "entry 19"),
    (DUES, sql(TICKED), f"member {MO} 2026-06"),
    (REMINDER, sql(REMINDED), f"member {MO} 2026-06-05"),
    (APPEAL, sql(ACCEPTED), "appeal 900"),
    ("V1", sql("UPDATE total SET points = points + 1 WHERE member_id = 103"), f"member {MO} 2026 PB1"),
    ("V1", sql("UPDATE total SET hundredths = 0 WHERE member_id = 103"), f"member {MO} 2026 PB1"),
    ("V1", sql("DELETE FROM total WHERE member_id = 103"), f"member {MO} 2026 PB1"),
    ("V1", sql("INSERT INTO total VALUES (2025, 'PB1', 302, 2, 100)"), f"member {KE} 2025 PB1"),
    ("V2", sql("UPDATE wallet SET balance = balance + 1 WHERE member_id = 103"), f"member {MO}"),
    ("V2", sql("DELETE FROM wallet WHERE member_id = 103"), f"member {MO}"),
    ("V3", sql("UPDATE wallet SET balance = 5, debt = 3 WHERE member_id = 103", loose="wallet"), f"member {MO}"),
    ("V3", sql("UPDATE wallet SET balance = -5, debt = -7 WHERE member_id = 103", loose="wallet"), f"member {MO}"),
    (
        "V4",
        sql(
            SAME_LINE,
            "UPDATE total SET points = 200, hundredths = 200 WHERE member_id = 102 AND rule_id = 'PP5'",
            "UPDATE wallet SET balance = balance + 100 WHERE member_id = 102",
            loose="entry",
        ),
        f"member {BOB} commendation:2026 PP5",
    ),
    ("V5", booked(BOB, "PP5", "undo:nothing", -1), "entry 19"),
    ("V5", booked(BOB, "PP5", "undo:commendation:2026", -50), "entry 19"),
    ("V6", attended(1, BOB, "onsite"), f"activity 1 member {BOB}"),
    ("V6", attended(1, CHARLIE, "remote"), f"activity 1 member {CHARLIE}"),
    ("V6", taken_back(MO, "activity:1"), f"activity 1 member {MO}"),
    ("V6", taken_back(ALICE, "activity:1:2"), f"activity 1 member {ALICE}"),
    ("V7", sql("UPDATE attendance SET state = 'undone' WHERE member_id = 103"), f"member {MO} activity:1 PB1"),
    ("V7", sql("UPDATE attendance SET mode = 'make_up' WHERE member_id = 103"), f"member {MO} activity:1 PB1"),
    ("V7", sql("DELETE FROM attendance WHERE member_id = 103"), f"member {MO} activity:1 PB1"),
    ("V7", booked(MO, "PP1", "activity:1", 3), f"member {MO} activity:1 PP1"),  # regional points on top of own
    ("V7", booked(MO, "PB1", "activity:1:2", 2), f"member {MO} activity:1:2 PB1"),
    ("V7", booked(BOB, "PB1", "activity:somewhere", 2), f"member {BOB} activity:somewhere PB1"),
    ("V8", sql("UPDATE reward SET received = received + 1 WHERE id = 1"), "reward 1"),
    ("V8", sql("UPDATE reward SET stock = stock - 1 WHERE id = 2"), "reward 2"),
    ("V8", sql("UPDATE reward SET stock = -1, received = -1 WHERE id = 2", loose="reward"), "reward 2"),
    ("V9", sql("UPDATE reward SET raised = raised - 50 WHERE id = 3"), "reward 3"),
    (
        "V10",
        sql(
            "UPDATE redemption SET state = 'handed_over' WHERE state = 'cancelled'",
            "UPDATE reward SET received = received + 1 WHERE id = 1",
        ),
        "redemption 2",
    ),
    (
        "V10",
        sql(
            "UPDATE redemption SET state = 'expired' WHERE state = 'handed_over' AND reward_id = 1",
            "UPDATE reward SET received = received - 1 WHERE id = 1",
        ),
        "redemption 3",
    ),
    ("V10", sql("UPDATE redemption SET closed_at = created_at WHERE state = 'held'"), "redemption 5"),
    ("V10", sql(UNPAID, "UPDATE reward SET received = received + 1 WHERE id = 1"), "redemption 900"),
    ("V11", booked(BOB, "REFUND", "redemption:77", 20, in_index=False), "entry 19"),
    ("V11", booked(BOB, "REFUND", "redemption:3", 20, in_index=False), "entry 19"),  # Alice's
    ("V11", booked(ALICE, "PROJECT", "redemption:3", 0, in_index=True), "entry 19"),
    ("V12", sql("UPDATE wish SET state = 'published' WHERE id = 2"), "wish 2"),
    ("V12", sql("UPDATE wish SET state = 'claimed' WHERE id = 1"), "wish 1"),
    ("V12", sql("UPDATE wish_claim SET state = 'delivered' WHERE wish_id = 2"), "wish 2"),
    ("V12", sql(SECOND_CLAIM, loose="wish_claim"), "wish 2"),
    ("V13", sql("UPDATE wish_claim SET member_id = 101 WHERE wish_id = 2"), "wish 2"),
    ("V14", taken_back(BOB, "wish:4"), "wish 4"),
    ("V14", booked(CHARLIE, "PP3", "wish:2", 5), "entry 19"),
    ("V15", sql("UPDATE membership SET to_day = '2020-01-02' WHERE to_day IS NOT NULL"), f"member {CHARLIE}"),
    ("V15", sql(SECOND_OPEN, loose="membership"), f"member {MO}"),
    ("V16", sql("UPDATE membership SET to_day = '2026-06-01' WHERE member_id = 103"), f"member {MO}"),
    ("V17", unguarded, None),
    ("V18", sql(TWICE_IN, loose="inbound"), "inbound 1"),
    ("V19", sql("UPDATE delivery SET state = 'queued' WHERE letter_id = 1 AND member_id = 103"), "letter 1"),
    ("V19", sql("UPDATE letter SET recipients = recipients + 1 WHERE id = 2"), "letter 2"),
    ("V19", sql("DELETE FROM attempt WHERE delivery_id = 1", "DELETE FROM delivery WHERE id = 1"), "letter 1"),
    ("V20", sql("UPDATE attempt SET fence = 7 WHERE outcome = ''"), None),
    ("V20", sql("UPDATE attempt SET outcome = 'sent' WHERE outcome = ''"), None),
    (LOGGED, recorded("UPDATE value_record SET value = '2'", loose="value_record"), "organization 10 C02 2026-05"),
    (LAID, recorded("DELETE FROM period_values"), "organization 10 C02 2026-05"),
    (LAID, recorded("DELETE FROM indicator_value"), "organization 10 C02 2026-05"),
    (AUDIT, sql("UPDATE audit_event SET detail = '{}' WHERE id = 1", loose="audit_event"), "audit_event 1"),
    (AUDIT, sql("UPDATE audit_event SET actor_id = 101 WHERE id = 2", loose="audit_event"), "audit_event 2"),
    (AUDIT, sql("DELETE FROM audit_event WHERE id = 1", loose="audit_event"), "audit_event 2"),
]


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
