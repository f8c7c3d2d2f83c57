"""Who hears of the colours: a branch's own secretary in one message, and every owner in one digest a day.

A district has thousands of branches, so a digest counts, names the most severe few, and leaves the rest to chat.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlmodel import Session

from db import organizations, pool
from db.organizations import Organization
from db.pool import News
from db.warnings import POOL, BranchWarning
from notices import outbox
from notices.channel import Button, Message
from notices.pool_routes import CITY_SECRETARY, ROLES, Routes, pool_notices, routes_on
from notices.said_pool import colour_of, pool_line, proof_lines, said_month, said_over, steps_for
from notices.voices import voices
from notices.wording import Wording

OWNERS_AT_ONCE = 50  # digests of one transaction
SHOWN_MAX = 3  # branches that a digest names
OVER = ("cleared", "corrected")
SECTIONS = ("raised", "continued", "added", "reminded", "escalated", *OVER)
_TELL = "tell:"


def note(after: int, until: int) -> str:
    """How far the digests are: owners up to `after` have theirs, about events up to `until`."""
    return f"{_TELL}{after}:{until}"


def place(text: str) -> tuple[int, int]:
    """What `note` wrote: (after, until)."""
    after, until = text.removeprefix(_TELL).split(":")
    return int(after), int(until)


def next_owners(session: Session, after: int, today: date) -> list[int]:
    """The next members who may own colours, in the order of their ids."""
    top = organizations.root(session)
    heads = pool.posts(session, {"secretary"}, today, [top.id] if top and top.id else [])
    holding = {post.member_id for post in (*pool.posts(session, ROLES - {CITY_SECRETARY}, today), *heads)}
    return sorted(one for one in holding if one > after)[:OWNERS_AT_ONCE]


@dataclass(slots=True)
class _Digest:
    """What one owner has to be told. unowned: how many came here because nobody holds the role before."""

    news: list[News] = field(default_factory=list)
    unowned: int = 0


def tell(session: Session, member_ids: Collection[int], until: int, now: datetime, today: date) -> int:
    """Send these owners their digests of the events up to `until`; how many had anything to hear."""
    routes, digests = routes_on(session, today), defaultdict[int, _Digest](_Digest)
    wanted = set(member_ids)
    for one in pool.news(session, until):
        for member_id, unowned in _owners(routes, one):
            if member_id in wanted:
                digests[member_id].news.append(one)
                digests[member_id].unowned += unowned
    for member_id, say in voices(session, list(digests)).items():
        digest = digests[member_id]
        shown = pool.with_branches(session, most_severe(digest.news)[:SHOWN_MAX])
        message = digest_message(say, digest.news, list(shown.values()), digest.unowned)
        outbox.tell(session, member_id=member_id, key=f"pool:{today}", message=message, now=now, lane=1)
        pool.note_told(session, [one.warning_id for one in digest.news], member_id, now)
    return len(digests)


def _owners(routes: Routes, one: News) -> list[tuple[int, bool]]:
    """(member, whether only because nobody holds the role before) for one event."""
    chain = pool_notices().chain_of(one.owner_role)
    first = routes.route(chain, one.path)
    if first is None:
        return []
    found = dict.fromkeys(first.member_ids, first.passed_over > 0)
    if one.what == "escalated" or (one.escalated and one.what in OVER):
        after = routes.route(chain, one.path, first.passed_over + 1)
        above = dict.fromkeys(after.member_ids, False) if after else {}
        found = above or found if one.what == "escalated" else found | above
    return list(found.items())


def most_severe(news: Sequence[News]) -> list[int]:
    """Ids of the warnings that stand, each once, red before yellow before blue."""
    standing = {one.warning_id: one.kind for one in news if one.what not in OVER}
    return sorted(standing, key=lambda one: (POOL.index(standing[one]), one))


def digest_message(
    say: Wording, news: Sequence[News], shown: Sequence[tuple[BranchWarning, Organization]], unowned: int = 0
) -> Message:
    """Counts per section and colour, the most severe few by name, and the ways to the rest."""
    days = {"reminded": pool_notices().remind_after_working_days}
    text = [say("pool.digest", month=said_month(say, max(one.month for one in news)))]
    for section in SECTIONS:
        counts = Counter(one.kind for one in news if one.what == section)
        if counts:
            waited = days.get(section, pool_notices().escalate_after_working_days)
            text.append(say(f"pool.digest_{section}", counts=_counted(say, counts), days=waited))
    if unowned:
        text.append(say("pool.digest_unowned", count=unowned))
    for warning, branch in sorted(shown, key=lambda one: (POOL.index(one[0].kind), one[0].id)):
        text.append("· " + say("warnings.of_branch", branch=branch.name, line=pool_line(say, warning)))
    standing = len(most_severe(news))
    if standing > len(shown):
        text.append(say("pool.digest_more", count=standing - len(shown)))
    steps = [Button(say("warnings.list"), "warnings:list")]
    if standing:
        steps.append(Button(say("warnings.ack_all"), "warnings:all"))
    return Message("\n".join(text), tuple(steps))


def _counted(say: Wording, counts: Counter[str]) -> str:
    """`红 2、黄 3`."""
    named = [
        say("pool.count", colour=say(f"pool.{kind.removeprefix('pool_')}"), count=counts[kind])
        for kind in POOL
        if counts[kind]
    ]
    return say("pool.between").join(named)


Told = tuple[Organization, list[tuple[str, str, BranchWarning]]]
"""A branch with (what, why, warning) for each thing that happened."""


def tell_secretaries(session: Session, found: Sequence[Told], now: datetime, today: date) -> int:
    """Tell the own secretary of every branch with news, in one message; how many messages."""
    told = 0
    concerned = {branch.id: (branch, news) for branch, news in found if news and branch.id is not None}
    posts = pool.posts(session, {"secretary"}, today, list(concerned))
    words = voices(session, [post.member_id for post in posts])
    for post in posts:
        branch, news = concerned[post.node_id]
        assert branch.id is not None
        told += outbox.tell(
            session,
            member_id=post.member_id,
            key=f"pool:{branch.id}:{today}",
            message=secretary_message(words[post.member_id], news),
            now=now,
            lane=1,
        )
        pool.note_told(session, [row.id for _, _, row in news if row.id is not None], post.member_id, now)
    return told


def secretary_message(say: Wording, news: Sequence[tuple[str, str, BranchWarning]]) -> Message:
    """What a secretary reads: each colour with its proof, what to do, and what is over."""
    standing = sorted((one for one in news if one[0] not in OVER), key=lambda one: POOL.index(one[2].kind))
    over = [one for one in news if one[0] in OVER]
    text = [say("pool.told")] if standing else []
    for what, why, warning in standing:
        head = say(
            f"pool.told_{what}", colour=say(f"pool.{colour_of(warning)}"), month=said_month(say, warning.period)
        )
        text += [head, *(f"· {line}" for line in proof_lines(say, warning, 2))]
        if why:
            text.append(say("pool.because", why=say(f"pool.why_{why}")))
    if standing:
        text += [say("pool.to_do"), *(f"· {step}" for step in steps_for(say, [row for _, _, row in standing]))]
    for what, why, warning in over:
        text.append(said_over(say, warning) if what == "cleared" else _taken_back(say, warning, why))
    steps = [Button(say("warnings.list"), "warnings")]
    if standing:
        number = standing[0][2].id
        steps = [
            Button(say("pool.write_plan"), f"warnings:plan:{number}"),
            Button(say("warnings.why"), f"warnings:why:{number}"),
            *steps,
        ]
    return Message("\n".join(text), tuple(steps))


def _taken_back(say: Wording, warning: BranchWarning, why: str) -> str:
    colour, month = say(f"pool.{colour_of(warning)}"), said_month(say, warning.period)
    return say("pool.taken_back", colour=colour, month=month, why=say(f"pool.why_{why}"))
