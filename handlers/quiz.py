"""答题: the questions of a letter, each once; then one's own place, and how regions and fields stand.

Actions: `quiz:LETTER`, `quiz:answer:LETTER:QUESTION:CHOICE`, `quiz:typed:LETTER:QUESTION` for words in place of a
number, `quiz:board:LETTER:BY`. Whoever wrote or approved the letter knows the answers and takes no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from db import ledger, letters, organizations, quizzes
from db.letters import Letter
from db.quizzes import GroupBy, QuizPaper
from handlers.answer_steps import LOOKED_AT, to_letters
from handlers.conversation import Button, Command, Context, Reply
from handlers.meaning import folded, typed_number
from notices.answer_terms import terms_of
from notices.carried import RULE, UNDER_WAY, Carried, carried, closes_at
from notices.letters import act, name_of
from scoring.letter_answers import Group, Placed, QuizTerms, contest
from scoring.ranks import named_at_most

BY: dict[str, GroupBy] = {"region": "region_id", "field": "field"}


def quiz(ctx: Context) -> Reply:
    """`答题`, or a button of a letter."""
    steps = {"answer": _answer, "typed": _typed, "board": _board}
    step = steps.get(ctx.arg())
    if step is not None:
        return step(ctx)
    return _open(ctx, ctx.arg_id()) if ctx.args else _last(ctx)


def _last(ctx: Context) -> Reply:
    """The last letter whose quiz this person has not finished."""
    for letter in letters.received(ctx.session, ctx.me, most=LOOKED_AT):
        assert letter.id is not None
        paper = quizzes.paper(ctx.session, letter.id, ctx.me)
        if carried(letter).quiz and _is_open(ctx, letter) and (paper is None or paper.score is None):
            return _open(ctx, letter.id)
    return Reply(ctx.say("quiz.none"), to_letters(ctx))


def _mine(ctx: Context, letter_id: int | None) -> tuple[Letter, Carried] | None:
    """The letter and what it carries, if it has a quiz and was written to me; who opens its quiz has read it."""
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    if letter is None or letter.id is None or not carried(letter).quiz:
        return None
    return (letter, carried(letter)) if act(ctx.session, letter.id, ctx.me, "read", ctx.now) else None


def _is_open(ctx: Context, letter: Letter) -> bool:
    until = closes_at(letter)
    return letter.state in UNDER_WAY and until is not None and ctx.now < until


def _open(ctx: Context, letter_id: int | None, *, note: str = "") -> Reply:
    """The next question, or what came out."""
    found = _mine(ctx, letter_id)
    if found is None:
        return Reply(ctx.say("quiz.unknown"), to_letters(ctx))
    letter, of = found
    assert letter.id is not None
    if ctx.me in (letter.author_id, letter.approved_by):
        return Reply(ctx.say("quiz.own"), _boards(ctx, letter))
    paper = quizzes.paper(ctx.session, letter.id, ctx.me)
    if paper is not None and paper.score is not None:
        return _result(ctx, letter, of, paper, note)
    if not _is_open(ctx, letter):
        return Reply(ctx.say("quiz.over"), _boards(ctx, letter))
    number = paper.answered if paper else 0
    one = of.quiz[number]
    text = ctx.say("quiz.question", number=number + 1, count=len(of.quiz), words=one.words)
    steps = tuple(
        Button(words, f"quiz:answer:{letter.id}:{number}:{place}") for place, words in enumerate(one.answers, 1)
    )
    return Reply(f"{note}\n{text}" if note else text, steps, expect=f"quiz:typed:{letter.id}:{number}")


def _typed(ctx: Context) -> Reply:
    """An answer in words, or by its letter."""
    found, number = _mine(ctx, ctx.arg_id(1)), ctx.arg_id(2)
    if found is None or number is None or number >= len(found[1].quiz):
        return _open(ctx, ctx.arg_id(1))
    answers, said = found[1].quiz[number].answers, folded(ctx.arg(3))
    picked = typed_number(said) or (str("abcd".index(said) + 1) if len(said) == 1 and said in "abcd" else "")
    choice = next((str(n) for n, one in enumerate(answers, 1) if folded(one) == said), picked)
    if not choice.isdigit() or not 1 <= int(choice) <= len(answers):
        return _open(ctx, ctx.arg_id(1), note=ctx.say("quiz.by_number"))
    ctx.args = ("answer", ctx.arg(1), ctx.arg(2), choice)
    return _answer(ctx)


def _answer(ctx: Context) -> Reply:
    """One answer. What was answered stays: a second press changes nothing."""
    found, number, choice = _mine(ctx, ctx.arg_id(1)), ctx.arg_id(2), ctx.arg_id(3)
    if found is None or number is None or choice is None or ctx.me in (found[0].author_id, found[0].approved_by):
        return _open(ctx, ctx.arg_id(1))
    letter, of = found
    assert letter.id is not None
    if not _is_open(ctx, letter) or number >= len(of.quiz) or not 1 <= choice <= len(of.quiz[number].answers):
        return _open(ctx, letter.id)
    one = of.quiz[number]
    if number == 0:
        _begin(ctx, letter.id)
    noted = quizzes.answer(
        ctx.session,
        letter.id,
        ctx.me,
        number=number,
        choice=choice,
        is_right=choice == one.right,
        last=number + 1 == len(of.quiz),
        now=ctx.now,
    )
    if not noted:
        return _open(ctx, letter.id, note=ctx.say("quiz.answered_before"))
    right = (
        ctx.say("quiz.right") if choice == one.right else ctx.say("quiz.wrong", answer=one.answers[one.right - 1])
    )
    paper = quizzes.paper(ctx.session, letter.id, ctx.me)
    if paper is None or paper.score is None:
        return _open(ctx, letter.id, note=right)
    return _result(ctx, letter, of, paper, _pay(ctx, letter, of, paper, right))


def _begin(ctx: Context, letter_id: int) -> None:
    branch = ctx.branch()
    branch = organizations.branch_of_group(ctx.session, branch) if branch else None
    regions = organizations.regions_of(ctx.session, branch) if branch else ()
    quizzes.begin(
        ctx.session,
        letter_id,
        ctx.me,
        organization_id=branch.id if branch else None,
        region_id=regions[0].id if regions else None,
        field=branch.field if branch else None,
    )


def _pay(ctx: Context, letter: Letter, of: Carried, paper: QuizPaper, note: str) -> str:
    """Book the letter's points for whoever has passed; the note with what was booked."""
    assert paper.score is not None
    terms = terms_of(letter, ctx.zone).quiz
    if not terms.points or not terms.passed(paper.score, len(of.quiz)):
        return note
    booked = ledger.book(
        ctx.session,
        member_id=ctx.me,
        organization_id=ctx.branch_id,
        rule_id=RULE,
        cause=f"quiz:{letter.id}",
        points=terms.points,
        day=ctx.today,
        in_index=False,
        reason=name_of(letter),
        booked_at=ctx.now,
    )
    return f"{note}{ctx.say('quiz.earned', points=terms.points)}" if booked else note


def _result(ctx: Context, letter: Letter, of: Carried, paper: QuizPaper, note: str) -> Reply:
    """How many were right, and one's own place, seen by oneself alone."""
    lines = [note] if note else []
    lines.append(ctx.say("quiz.result", right=paper.score, count=len(of.quiz)))
    enough = terms_of(letter, ctx.zone).quiz.takers_min
    shown = False
    for name, by in BY.items():
        place = quizzes.place(ctx.session, paper, by)
        if place is not None and place[1] >= enough:
            group = _named(ctx, name, getattr(paper, by))
            lines.append(ctx.say("quiz.place", group=group, rank=place[0], takers=place[1]))
            shown = True
    if not shown:
        lines.append(ctx.say("quiz.too_few", few=enough))
    return Reply("\n".join(lines), _boards(ctx, letter))


def _boards(ctx: Context, letter: Letter) -> tuple[Button, ...]:
    steps = tuple(Button(ctx.say(f"quiz.board_{name}"), f"quiz:board:{letter.id}:{name}") for name in BY)
    return (*steps, *to_letters(ctx))


def _named(ctx: Context, name: str, group: int | str) -> str:
    if name == "field":
        return ctx.say(f"fields.{group}")
    return organizations.region_names(ctx.session, [int(group)])[int(group)]


def _board(ctx: Context) -> Reply:
    """`quiz:board:LETTER:BY`: the best regions or fields, at most their upper half, and where one's own stands."""
    letter_id, name = ctx.arg_id(1), ctx.arg(2) if ctx.arg(2) in BY else "region"
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    if letter is None or letter.id is None or not carried(letter).quiz:
        return Reply(ctx.say("quiz.unknown"), to_letters(ctx))
    if ctx.me not in (letter.author_id, letter.approved_by) and _mine(ctx, letter.id) is None:
        return Reply(ctx.say("quiz.unknown"), to_letters(ctx))
    terms = terms_of(letter, ctx.zone).quiz
    count = len(carried(letter).quiz)
    rows = quizzes.groups(ctx.session, letter.id, BY[name])
    placed = contest(terms, [Group(str(key), takers, right) for key, takers, right in rows], count)
    lines = [ctx.say(f"quiz.head_{name}", name=name_of(letter))]
    if not placed:
        lines.append(ctx.say("quiz.no_group", few=terms.takers_min))
    for one in placed[: named_at_most(len(placed), terms.named_max)]:
        key = one.key if name == "field" else int(one.key)
        lines.append(
            ctx.say(
                "quiz.group",
                rank=one.rank,
                group=_named(ctx, name, key),
                percent=_percent(one.share),
                takers=one.takers,
            )
        )
    lines += _own_group(ctx, letter.id, name, placed, terms)
    return Reply("\n".join(lines), _boards(ctx, letter), back=f"quiz:{letter.id}")


def _own_group(ctx: Context, letter_id: int, name: str, placed: Sequence[Placed], terms: QuizTerms) -> list[str]:
    paper = quizzes.paper(ctx.session, letter_id, ctx.me)
    group = getattr(paper, BY[name]) if paper else None
    if group is None or not placed:
        return []
    own = next((one for one in placed if one.key == str(group)), None)
    label = _named(ctx, name, group)
    if own is None:
        return [ctx.say("quiz.own_too_few", group=label, few=terms.takers_min)]
    return [ctx.say("quiz.own_group", group=label, rank=own.rank, count=len(placed), percent=_percent(own.share))]


def _percent(share: Fraction) -> str:
    """`87%`, cut: nobody has all of it who has not answered everything rightly."""
    return f"{share.numerator * 100 // share.denominator}%"


QUIZ = Command(
    "quiz",
    ("答题", "quiz"),
    quiz,
    phrases=("红信答题", "我要答题", "做题", "答题榜", "积分比拼", "answer the questions"),
    in_menu=False,
)
