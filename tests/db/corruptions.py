"""One corruption for every invariant, and the means to plant it where the database would refuse it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text
from sqlmodel import Session

from db import attendance, ledger, schema, values
from db.invariants import INVARIANTS
from tests.cast import ALICE, BOB, CHARLIE, DAY, KE, MO, NOON

AUDIT = f"V{len(INVARIANTS) + 1}"


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
TWICE_IN = "INSERT INTO inbound SELECT 900, channel, key, address, received_at, reply, taken_at, way FROM inbound WHERE id = 1"


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
NOBODY = numbered("whatever goes out is for a member")
RECOUNTED = "UPDATE letter SET recipients = recipients - 1 WHERE id = 1"
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
    (NOBODY, sql("UPDATE delivery SET member_id = 987654 WHERE id = 1"), "delivery 1"),
    (NOBODY, sql("UPDATE delivery SET letter_id = 987654, key = 'a note' WHERE id = 1", RECOUNTED), "delivery 1"),
    (LOGGED, recorded("UPDATE value_record SET value = '2'", loose="value_record"), "organization 10 C02 2026-05"),
    (LAID, recorded("DELETE FROM period_values"), "organization 10 C02 2026-05"),
    (LAID, recorded("DELETE FROM indicator_value"), "organization 10 C02 2026-05"),
    (AUDIT, sql("UPDATE audit_event SET detail = '{}' WHERE id = 1", loose="audit_event"), "audit_event 1"),
    (AUDIT, sql("UPDATE audit_event SET actor_id = 101 WHERE id = 2", loose="audit_event"), "audit_event 2"),
    (AUDIT, sql("DELETE FROM audit_event WHERE id = 1", loose="audit_event"), "audit_event 2"),
]
