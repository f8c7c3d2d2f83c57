"""The rules beside the indices: their own worked examples, and what they refuse."""

from __future__ import annotations

import shutil
from datetime import date
from fractions import Fraction

import pytest

from scoring.appraisal import AppraisalCase, good_share, members_masses, written_share
from scoring.catalogue import FIELDS, RULES, RulesError, load, shipped
from scoring.exact import half_up
from scoring.six_star import AllCase, SixStarCase, judge_star, six_stars
from scoring.standards import LISTS, ledger_state

DAY = date(2026, 12, 31)
CATALOGUE = shipped()
RATINGS = CATALOGUE.ratings


@pytest.mark.parametrize("case", RATINGS.appraisal.cases, ids=lambda case: case.say)
def test_every_case_of_the_appraisal_comes_out_as_written(case: AppraisalCase) -> None:
    terms = RATINGS.appraisal.terms_on(DAY)
    tallies = {
        question.id: {grade.id: count for grade, count in zip(terms.grade, counts, strict=True)}
        for question, counts in zip(terms.question, case.answers, strict=True)
    }
    assert members_masses(terms, tallies) == (None if case.figure is None else half_up(case.figure))
    assert good_share(terms, tallies) == case.good_share


def test_a_share_below_a_threshold_is_never_written_as_one_that_meets_it() -> None:
    assert written_share(Fraction(17, 20)) == "0.850000"
    assert written_share(Fraction(8499999, 10000000)) == "0.849999"
    assert written_share(Fraction(2, 3)) == "0.666666"
    assert (written_share(Fraction(0)), written_share(Fraction(1))) == ("0.000000", "1.000000")


@pytest.mark.parametrize("case", RATINGS.six_star.cases, ids=lambda case: f"{case.star} {case.say}")
def test_every_case_of_a_star_comes_out_as_written(case: SixStarCase) -> None:
    terms = RATINGS.six_star.terms_on(DAY)
    star = next(one for one in terms.star if one.id == case.star)
    shares = {item.fact: share for item, share in zip(star.item, case.shares, strict=True)}
    judged = judge_star(terms, star, shares)
    assert (judged.points, judged.lit) == (half_up(case.points), case.lit)
    assert judged.points + sum(one.missing for one in judged.missing) == 100_00
    assert list(judged.missing) == sorted(judged.missing, key=lambda one: -one.missing)


@pytest.mark.parametrize("case", RATINGS.six_star.all_cases, ids=lambda case: case.say)
def test_every_case_of_the_whole_comes_out_as_written(case: AllCase) -> None:
    terms = RATINGS.six_star.terms_on(DAY)
    lit = [item.fact for star in terms.star[: case.lit] for item in star.item]
    result = six_stars(terms, dict.fromkeys(lit, Fraction(1)), veto=case.veto)
    assert (result.lit, result.six) == (case.lit, case.six)


def test_a_fact_that_nobody_knows_counts_nothing_and_one_outside_a_share_is_refused() -> None:
    terms = RATINGS.six_star.terms_on(DAY)
    assert judge_star(terms, terms.star[0], {}).points == 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        judge_star(terms, terms.star[0], {terms.star[0].item[0].fact: Fraction(2)})


def test_every_field_has_three_lists_and_every_list_something_mandatory() -> None:
    for field in FIELDS:
        items = RATINGS.standards_on(field, DAY)
        assert [item.list for item in items] == sorted((i.list for i in items), key=LISTS.index)
        for name in LISTS:
            own = [item for item in items if item.list == name]
            assert any(item.field == field for item in own)
            assert any(item.mandatory for item in own)


def test_a_branch_is_up_to_standard_exactly_when_every_mandatory_item_is_met() -> None:
    items = RATINGS.standards_on("soe", DAY)
    mandatory = {item.id: True for item in items if item.mandatory}
    assert 0 < len(mandatory) < len(items)
    state = ledger_state(items, mandatory)
    assert (state.up_to_standard, state.met, state.total) == (True, len(mandatory), len(items))
    first = next(iter(mandatory))
    for without in ({**mandatory, first: False}, {name: True for name in mandatory if name != first}):
        state = ledger_state(items, without)
        assert not state.up_to_standard
        assert [item.id for item in state.missing_mandatory] == [first]


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("appraisal_poll.toml", 'good_question      = "committee"', 'good_question = "x"', "no question x"),
        ("appraisal_poll.toml", 'good_item          = "F04"', 'good_item = "F99"', "F99"),
        ("appraisal_poll.toml", "value = 85", "value = 100", "from the best to the worst"),
        ("appraisal_poll.toml", "[[3, 2, 0, 0], ", "[", "every question and every grade"),
        ("six_star.toml", "points = 30", "points = 31", "add up to 101"),
        ("six_star.toml", 'fact = "item:F01"', 'fact = "item:F99"', "there is no item:F99"),
        ("six_star.toml", 'star = "role_star"', 'star = "venue_star"', "role_star"),
        (
            "six_star.toml",
            'fact = "indicator:C01"',
            'fact = "indicator:SE01"',
            "C01|L2: there is no indicator:SE01",
        ),
        ("year_end.toml", 'id       = "accident"', 'id = "sanction"', "twice"),
        ("standard_items.csv", "true,S", "yes,S", "mandatory"),
    ],
)
def test_a_mistake_in_these_rules_is_told(tmp_path, name: str, old: str, new: str, why: str) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RulesError, match=why) as caught:
        load(folder)
    assert all(name in mistake for mistake in caught.value.mistakes)


@pytest.mark.parametrize(
    "scheme",
    [CATALOGUE.org_power, RATINGS.appraisal, RATINGS.six_star, RATINGS.year_close],
    ids=lambda one: type(one).__name__,
)
def test_every_scheme_says_before_which_day_it_has_no_terms(scheme) -> None:
    assert scheme.terms_on(date(2000, 1, 1)) is scheme.terms[0]
    with pytest.raises(LookupError, match="no terms on 1999-12-31"):
        scheme.terms_on(date(1999, 12, 31))


def test_a_grade_or_a_question_that_nobody_gave_counts_as_nobody() -> None:
    terms = RATINGS.appraisal.terms_on(DAY)
    few, best = terms.answers_min, terms.grade[0]
    tallies = {question.id: {best.id: few} for question in terms.question}
    assert (members_masses(terms, tallies), good_share(terms, tallies)) == (100 * best.value, 1)
    poor = {question.id: {terms.grade[-1].id: few} for question in terms.question}
    assert (members_masses(terms, poor), good_share(terms, poor)) == (100 * terms.grade[-1].value, 0)
    for question in terms.question:
        rest = {name: counts for name, counts in tallies.items() if name != question.id}
        assert (members_masses(terms, rest), good_share(terms, rest)) == (None, None)
        one_less = {**tallies, question.id: {best.id: few - 1}}
        assert (members_masses(terms, one_less), good_share(terms, one_less)) == (None, None)


def test_a_grade_is_picked_by_its_number() -> None:
    terms = RATINGS.appraisal.terms_on(DAY)
    last = len(terms.grade)
    picked = [terms.grade_at(number) for number in (0, 1, last, last + 1, -1)]
    assert picked == [None, terms.grade[0], terms.grade[-1], None, None]


def test_a_star_names_its_gaps_the_largest_first_and_nothing_that_is_full() -> None:
    terms = RATINGS.six_star.terms_on(DAY)
    star = terms.star[0]
    shares: dict[str, Fraction | None] = {item.fact: Fraction(1) for item in star.item}
    shares[star.item[0].fact] = Fraction(1, 2)
    shares[star.item[2].fact] = Fraction(0)
    shares[star.item[1].fact] = None  # not due: in full
    judged = judge_star(terms, star, shares)
    assert judged.star is star
    gaps = [(star.item[2], 100 * star.item[2].points), (star.item[0], 50 * star.item[0].points)]
    assert [(one.item, one.missing) for one in judged.missing] == gaps


def test_a_kind_of_veto_is_found_by_its_id_in_the_terms_that_name_it_last() -> None:
    scheme = RATINGS.year_close
    first = scheme.terms[0]
    kind = first.veto[0]
    later = first.model_copy(
        update={"starts": date(2030, 1, 1), "veto": (kind.model_copy(update={"title": "新"}),)}
    )
    both = scheme.model_copy(update={"terms": (first, later)})
    assert both.veto_kind(kind.id).title == "新"
    assert both.veto_kind(first.veto[1].id) is first.veto[1]
    with pytest.raises(LookupError, match=f"^no veto '{'x' * 40}'$"):
        scheme.veto_kind("x" * 41)


def test_a_standard_is_said_in_both_languages() -> None:
    item = RATINGS.standards[0]
    assert (item.required_in("zh"), item.required_in("en")) == (item.required, item.required_en)
    assert item.required != item.required_en
    assert item.version == item.starts.isoformat() == "2000-01-01"
