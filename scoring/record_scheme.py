"""The shape of `records.toml`: by which way each rule of the members' index gets its facts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from scoring.blocks import Block, Named, Text
from scoring.exact import Exact, FromList
from scoring.pioneer_scheme import PioneerScheme

Proposer = Literal["member", "secretary", "committee_reviewer"]
Confirmer = Literal["secretary", "committee_reviewer", "district_org_department"]
Path = Literal["activity", "wish", "dues", "dues_reminder", "democratic_review", "proposal"]
Days = Annotated[int, Field(gt=0, le=366)]
Choices = Annotated[tuple[Named, ...], FromList]
Words = Annotated[tuple[Text, ...], FromList]


class RecordRule(Block):
    """One rule: who says that it happened, who confirms, and what has to be shown.

    about: `activity` (one of the branch that is over), `activity_or_words`, or `words`. kinds: which activities.
    asks: whether hours or one of the choices are asked for. hearing_days: working days in which the member
    may object before anybody confirms.
    """

    rule: Text
    fed_by: Path
    by: Annotated[tuple[Proposer, ...], FromList] = ()
    confirms: Annotated[tuple[Confirmer, ...], FromList] = ()
    about: Literal["activity", "activity_or_words", "words"] = "words"
    kinds: Words = ()
    asks: Literal["nothing", "hours", "choice"] = "nothing"
    hours_max: Annotated[int, Field(gt=0, le=24)] = 8
    choice: Choices = ()
    picture: bool = False  # needed as evidence; otherwise it may be left out
    several: bool = False  # several members at once
    absent: bool = False  # the member was not at the activity
    hearing_days: Annotated[int, Field(ge=0, le=30)] = 0
    within_days: Days = 60  # after the day of the event

    def named(self, choice_id: str) -> Named | None:
        """The choice with this id."""
        return next((one for one in self.choice if one.id == choice_id), None)

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if (self.fed_by == "proposal") != bool(self.by and self.confirms):
            raise ValueError("by and confirms belong to what is proposed, and are needed there")
        if (self.asks == "choice") != bool(self.choice) and self.fed_by == "proposal":
            raise ValueError("the question for a choice and its choices belong together")
        if self.about.startswith("activity") != bool(self.kinds) and self.fed_by == "proposal":
            raise ValueError("kinds say which activities it can be about")
        if self.several and self.hearing_days:
            raise ValueError("who is heard is heard alone")
        return self


class DuesRules(Block):
    """Dues: on which days of a month members in arrears are reminded, and at how many months a flag is raised."""

    late_days: Annotated[tuple[Annotated[int, Field(ge=1, le=28)], ...], FromList]
    flag_months: Annotated[tuple[int, ...], FromList]
    back_months: Annotated[int, Field(gt=0, le=12)]  # so far back dues can be paid without anybody's approval


class ReviewRules(Block):
    """Democratic review: which activity must have been held, and the most that may be rated excellent."""

    kinds: Words
    excellent_share: Exact  # of those who are rated


class StudyRules(Block):
    """Hours that an activity carries by itself: its length in half hours, no more than the most."""

    kinds: Words
    half_hours_max: Annotated[int, Field(gt=0, le=48)]


class AppealRules(Block):
    """Until how many days after it was booked a line can be appealed, and when an answer is asked for again."""

    within_days: Days
    answer_working_days: Days = 10


class ResolutionRules(Block):
    """A branch's resolution on how the index counts for a member: at which meetings, and for which reasons."""

    kinds: Words
    within_days: Days
    choice: Choices  # reasons


class RecordScheme(Block):
    """The file `records.toml`."""

    dues: DuesRules
    review: ReviewRules
    study: StudyRules
    appeal: AppealRules
    resolution: ResolutionRules
    record: Annotated[tuple[RecordRule, ...], FromList]

    @cached_property
    def _by_rule(self) -> dict[str, RecordRule]:
        return {one.rule: one for one in self.record}

    def of(self, rule_id: str) -> RecordRule | None:
        """How this rule gets its facts; None for an unknown rule."""
        return self._by_rule.get(rule_id)

    def proposed_by(self, roles: set[str]) -> list[RecordRule]:
        """Rules that somebody with one of these roles may propose lines for, in the order of the file."""
        return [one for one in self.record if roles.intersection(one.by)]

    def mistakes(self, pioneer: PioneerScheme) -> Iterator[str]:
        """Where this file and the rules themselves do not fit together."""
        rules = {rule.id: rule for rule in pioneer.rule}
        named = [one.rule for one in self.record]
        yield from (
            f"records.toml: {one} stands twice" for one in sorted({n for n in named if named.count(n) > 1})
        )
        yield from (f"records.toml: nobody says how {one} gets its facts" for one in rules if one not in named)
        yield from (f"records.toml: there is no rule {one}" for one in named if one not in rules)
        for one in self.record:
            rule = rules.get(one.rule)
            grades = {grade for terms in rule.terms for grade in terms.grades or ()} if rule else set()
            if grades and grades != {choice.id for choice in one.choice}:
                yield f"records.toml: the choices of {one.rule} must be its grades: {', '.join(sorted(grades))}"
