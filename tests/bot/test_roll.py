"""Importing the roll: a verdict per row, then all or nothing."""

from __future__ import annotations

from datetime import date

import pytest
import xlsxwriter
from sqlmodel import Session, select

from bot.roll import Refusal, apply, plan, read, write_template
from db import companions, dated_facts, members, offices, organizations
from db.dated_facts import DatedFact
from db.members import Membership, Role
from tests.cast import ALICE, BOB, DAY, LIANGFENG, NOON, SHAZHOU

ORGANIZATIONS = (
    "编号,名称,级别,领域,上级编号,成立日期\nK9,新区党工委,党工委,,C,\nB91,新村党支部,党支部,行政村,K9,2020-01-01\n"
)
MEMBERS = (
    "编号,姓名,支部编号,转入日期,流动党员,职责\nN1,郑新,B91,2021-05-01,否,书记:B91\nN2,何流,B91,2021-05-01,是,\n"
)


@pytest.fixture
def folder(tmp_path):
    """A folder with two good CSV files."""
    place = tmp_path / "roll"
    place.mkdir()
    (place / "organizations.csv").write_text("\ufeff" + ORGANIZATIONS, encoding="utf-8")
    (place / "members.csv").write_text(MEMBERS, encoding="utf-8")
    return place


def words(engine, path):
    return [str(verdict) for verdict in plan(engine, read(path), today=DAY).verdicts]


def test_a_dry_run_tells_every_row_and_writes_nothing(engine, folder):
    assert words(engine, folder) == ["组织 2 K9: new", "组织 3 B91: new", "党员 2 N1: new", "党员 3 N2: new"]
    with Session(engine) as session:
        assert organizations.by_code(session, "B91") is None


def test_an_import_writes_tree_members_and_roles_and_a_second_one_changes_nothing(engine, folder):
    apply(engine, plan(engine, read(folder), today=DAY), now=NOON)
    with Session(engine) as session:
        branch = organizations.by_code(session, "B91")
        above = organizations.by_code(session, "K9")
        assert branch.path == f"/1/{above.id}/{branch.id}/"
        assert [member.name for member in members.members_of(session, branch.id, DAY)] == ["郑新", "何流"]
        assert members.secretary_name(session, branch, DAY) == "郑新"
    assert [line.split()[-1] for line in words(engine, folder)] == ["same"] * 4


def test_a_second_import_shows_what_would_change(engine, folder):
    apply(engine, plan(engine, read(folder), today=DAY), now=NOON)
    (folder / "members.csv").write_text(MEMBERS.replace("何流", "何留").replace("书记:B91", ""), encoding="utf-8")
    changed = [line for line in words(engine, folder) if "changed" in line]
    assert changed == ["党员 2 N1: changed roles: secretary:B91 -> -", "党员 3 N2: changed name: 何流 -> 何留"]
    apply(engine, plan(engine, read(folder), today=DAY), now=NOON)
    with Session(engine) as session:
        role = session.exec(select(Role).where(Role.role == "secretary", Role.to_day == date(2026, 6, 15))).one()
        assert role.member_id


def test_another_branch_is_a_transfer_from_that_day(engine, tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("编号,姓名,支部编号,转入日期\nM101,艾丽丝,B20,2026-06-01\n", encoding="utf-8")
    apply(engine, plan(engine, read(path), today=DAY), now=NOON)
    with Session(engine) as session:
        rows = session.exec(
            select(Membership).where(Membership.member_id == ALICE).order_by(Membership.from_day)
        ).all()
        assert [(row.organization_id, row.from_day, row.to_day) for row in rows] == [
            (LIANGFENG, date(2020, 1, 1), date(2026, 6, 1)),
            (20, date(2026, 6, 1), None),
        ]


def test_who_comes_back_does_not_belong_twice_to_one_day(engine, tmp_path):
    left = date(2026, 3, 1)
    with Session(engine) as session:
        old = session.exec(select(Membership).where(Membership.member_id == ALICE)).one()
        old.to_day = left
        session.commit()
    path = tmp_path / "m.csv"
    row = "编号,姓名,支部编号,转入日期\nM101,艾丽丝,B10,{}\n"
    path.write_text(row.format("2026-02-28"), encoding="utf-8")
    made = plan(engine, read(path), today=DAY)
    why = ["转入日期 lies before 2026-03-01, when the former membership ended"]
    assert [verdict.what for verdict in made.verdicts] == why
    path.write_text(row.format(left), encoding="utf-8")
    apply(engine, plan(engine, read(path), today=DAY), now=NOON)
    with Session(engine) as session:
        rows = session.exec(select(Membership).where(Membership.member_id == ALICE).order_by(Membership.from_day))
        assert [(one.from_day, one.to_day) for one in rows] == [(date(2020, 1, 1), left), (left, None)]


def test_days_of_a_member_come_with_the_roll_and_the_later_contact_stays(engine, tmp_path):
    path = tmp_path / "m.csv"
    head = "编号,姓名,支部编号,转入日期,外出日期,最近联系,介绍信有效期\n"

    def bring(branch, from_day, *days, new=""):
        newcomer = f"N9,新来,B10,2026-06-01,{new},,\n" if new else ""
        path.write_text(f"{head}M101,艾丽丝,{branch},{from_day},{','.join(days)}\n{newcomer}", encoding="utf-8")
        made = plan(engine, read(path), today=DAY)
        if not made.refused:
            apply(engine, made, now=NOON)
        with Session(engine) as session:
            rows = session.exec(select(DatedFact).where(DatedFact.state != "replaced").order_by(DatedFact.kind))
            standing = {ALICE: [], "N9": []}
            for one in rows:
                whose = standing[ALICE if one.member_id == ALICE else "N9"]
                whose.append((one.kind, str(one.day), one.state))
        assert standing["N9"] == [("mobile_six_months", "2026-03-01", "open")]
        return [one.what or one.verdict for one in made.verdicts], standing[ALICE]

    stay = ("B10", "2020-01-01")
    away, letter = ("mobile_six_months", "2026-02-01", "open"), ("transfer_letter", "2026-07-01", "open")
    contact = ("lost_contact", "2026-05-01", "open")
    told, found = bring(*stay, "2026-02-01", "2026-05-01", "2026-07-01", new="2026-03-01")
    assert told[1] == "new"
    assert found == [contact, away, letter]
    assert bring(*stay, "2026-02-01", "2026-05-01", "2026-07-01") == (["same"], found)
    assert bring(*stay, "2026-02-01", "2026-04-30", "2026-07-01") == (["same"], found)  # the list is behind
    assert bring(*stay, "2026-02-01", "", "2026-07-01") == (["same"], found)
    told, found = bring(*stay, "", "2026-05-02", "2026-07-01")
    assert told == ["away_since: 2026-02-01 -> -, last_contact_on: 2026-05-01 -> 2026-05-02"]
    assert found == [("lost_contact", "2026-05-02", "open"), letter]
    told, found = bring("B20", "2026-06-10", "", "", "2026-07-01")
    assert found[1] == ("transfer_letter", "2026-07-01", "done")  # in the new branch
    told, _ = bring("B20", "2026-06-10", "2026-06-16", "2026-06-16", "2026-09-01")
    assert told == ["外出日期 lies in the future; 最近联系 lies in the future"]


def test_offices_and_companions_come_with_the_roll_and_what_was_named_by_hand_stays(engine, tmp_path):
    path = tmp_path / "m.csv"
    head = "编号,姓名,支部编号,转入日期,职责,入党介绍人,流动党员联系人\n"

    def bring(roles, sponsors, contacts):
        path.write_text(f"{head}N9,新来,B10,2026-06-01,{roles},{sponsors},{contacts}\n", encoding="utf-8")
        made = plan(engine, read(path), today=DAY)
        if not made.refused:
            apply(engine, made, now=NOON)
        with Session(engine) as session:
            held = offices.held(session, [LIANGFENG], DAY).get(LIANGFENG, {})
            found = companions.of_members(session)
        whose = [dict(one) for one in found.values()]
        return [one.what or one.verdict for one in made.verdicts], sorted(held), whose

    with Session(engine) as session:
        offices.name(session, LIANGFENG, "discipline_officer", BOB, DAY)
        session.commit()
    told, held, whose = bring("组织委员:B10；宣传委员:B10", "M101;M102", "M102")
    assert (told, whose) == (["new"], [{"contact": [BOB], "sponsor": [ALICE, BOB]}])
    assert held == ["discipline_officer", "organization_officer", "publicity_officer"]
    assert bring("组织委员:B10；宣传委员:B10", "M101;M102", "M102")[0] == ["same"]
    told, held, whose = bring("书记:B10；组织委员:B10", "M102", "")
    assert "publicity_officer:B10" in told[0]
    assert (held, whose) == (["discipline_officer", "organization_officer"], [{"sponsor": [BOB]}])
    for wrong in ("N9", "M999"):
        assert bring("书记:B10；组织委员:B10", wrong, "")[0] == [f"{wrong} cannot accompany this member"]
    assert bring("", "", "")[1:] == (["discipline_officer"], [])
    for there, expected in (("B20", {SHAZHOU}), ("B77", {SHAZHOU}), ("", set())):
        path.write_text(
            f"编号,姓名,支部编号,转入日期,转往支部编号\nN9,新来,B10,2026-06-01,{there}\n", encoding="utf-8"
        )
        made = plan(engine, read(path), today=DAY)
        assert bool(made.refused) == (there == "B77")
        if not made.refused:
            apply(engine, made, now=NOON)
        with Session(engine) as session:
            assert set(dated_facts.destinations(session).values()) == expected, there


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("N3,李四,B77,2021-05-01,,", "支部编号 B77 is not known"),
        ("N3,李四,B91,2021-13-01,,", "转入日期: '2021-13-01' is not understood"),
        ("N3,李四,B91,2027-01-01,,", "转入日期 lies in the future"),
        ("N3,,B91,2021-05-01,,", "姓名 is missing"),
        ("N1,又一个,B91,2021-05-01,,", "this number stands twice in the file"),
        ("N3,李四,B91,2021-05-01,也许,", "流动党员: '也许' is not understood"),
        ("N3,李四,B91,2021-05-01,,市长:B91", "职责: '市长:B91' is not understood"),
        ("N3,=1+1,B91,2021-05-01,,", "姓名: '=1+1' is not understood"),
        ("M101,艾丽丝,B91,2019-01-01,,", "a transfer must be later than 2020-01-01"),
    ],
)
def test_a_wrong_row_is_refused_with_its_reason_and_nothing_is_imported(engine, folder, row, why):
    (folder / "members.csv").write_text(f"{MEMBERS}{row}\n", encoding="utf-8")
    made = plan(engine, read(folder), today=DAY)
    assert [verdict.what for verdict in made.verdicts if verdict.verdict == "refused"] == [why]
    assert made.summary().endswith("nothing is imported while a row is refused")
    with pytest.raises(AssertionError):
        apply(engine, made, now=NOON)


def test_an_organisation_cannot_stand_above_itself(engine, tmp_path):
    path = tmp_path / "o.csv"
    path.write_text("编号,名称,级别,上级编号\nX1,甲,党总支,X2\nX2,乙,党总支,X1\n", encoding="utf-8")
    assert all("stands above itself" in line for line in words(engine, path))


def test_the_template_can_be_filled_in_and_read(engine, tmp_path):
    path = tmp_path / "roll.xlsx"
    write_template(path)
    rows = read(path).rows
    assert rows["members"][0][1]["name"] == "赵建国"
    assert rows["organizations"][0][1]["level"] == "党支部"


def test_a_workbook_with_real_dates_and_numbers_is_read_as_written(tmp_path):
    path = tmp_path / "m.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("党员")
    sheet.write_row(0, 0, ["编号*", "姓名*", "支部编号*", "转入日期*"])
    sheet.write_row(1, 0, [10001, "周数", "B10"])
    sheet.write_datetime(1, 3, date(2020, 1, 2), book.add_format({"num_format": "yyyy-mm-dd"}))
    book.close()
    expected = {"code": "10001", "name": "周数", "organization": "B10", "from_day": "2020-01-02"}
    assert read(path).rows["members"] == [(2, expected)]


def test_what_is_no_roll_is_refused_in_one_sentence(tmp_path):
    gbk, other, broken = tmp_path / "gbk.csv", tmp_path / "other.csv", tmp_path / "broken.xlsx"
    gbk.write_bytes(MEMBERS.encode("gbk"))
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    broken.write_bytes(b"PK nothing")
    for path, why in (
        (gbk, "not UTF-8"),
        (other, "the header must have"),
        (broken, "not a workbook"),
        (tmp_path / "no", "no such"),
    ):
        with pytest.raises(Refusal, match=why):
            read(path)
