"""Who has to act on a colour: the roles of `pool_owners.toml`, and the people who hold them today."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sqlmodel import Session

from db import organizations, pool
from db.organizations import Organization
from db.pool import Post
from db.warnings import BranchWarning

FILE = Path(__file__).parent / "pool_owners.toml"
CITY_SECRETARY = "city_secretary"
ROLES = frozenset({"committee_reviewer", "department", "district_org_department", CITY_SECRETARY})
_KEYS = {"remind_after_working_days", "escalate_after_working_days", "owners"}


@dataclass(frozen=True, slots=True)
class PoolNotices:
    """The numbers of `pool_owners.toml`. chains: owner -> roles in the order in which they are asked."""

    remind_after_working_days: int
    escalate_after_working_days: int
    chains: dict[str, tuple[str, ...]]

    def chain_of(self, first_role: str) -> tuple[str, ...]:
        """The roles that follow one another for a warning whose owner is `first_role`, itself the first."""
        return next((roles for roles in self.chains.values() if roles[0] == first_role), (first_role,))


@cache
def pool_notices() -> PoolNotices:
    """The data of `pool_owners.toml`. Raises ValueError for a name or a number that cannot be meant."""
    return read(FILE.read_text(encoding="utf-8"))


def read(text: str) -> PoolNotices:
    """The data in `text`. Raises ValueError."""
    table = tomllib.loads(text)
    if set(table) != _KEYS:
        raise ValueError(f"{FILE.name}: exactly {', '.join(sorted(_KEYS))} are needed")
    remind, escalate = table["remind_after_working_days"], table["escalate_after_working_days"]
    if not 0 < remind < escalate:
        raise ValueError(f"{FILE.name}: 0 < remind_after_working_days < escalate_after_working_days is needed")
    for owner, roles in table["owners"].items():
        if len(roles) < 2 or set(roles) - ROLES or len(set(roles)) < len(roles):
            raise ValueError(
                f"{FILE.name}: {owner} needs at least two different roles of {', '.join(sorted(ROLES))}"
            )
    firsts = [roles[0] for roles in table["owners"].values()]
    if len(set(firsts)) < len(firsts):
        raise ValueError(f"{FILE.name}: two owners begin with the same role")
    return PoolNotices(remind, escalate, {owner: tuple(roles) for owner, roles in table["owners"].items()})


class Route(NamedTuple):
    """Who is told: their role, and how many roles of the chain before it nobody holds."""

    role: str
    passed_over: int
    member_ids: tuple[int, ...]


class Routes:
    """Everybody who holds a role today, to be asked for branch after branch."""

    def __init__(self, posts: Collection[Post]) -> None:
        self._holders: dict[tuple[str, int], list[int]] = defaultdict(list)
        for role, node_id, member_id in posts:
            self._holders[role, node_id].append(member_id)

    def route(self, chain: Sequence[str], path: str, start: int = 0) -> Route | None:
        """The first role of the chain, from `start` on, that anybody holds on the branch at `path` or above it.

        None when nobody holds any of them.
        """
        above = path_ids(path)
        for place in range(start, len(chain)):
            nodes = above[:1] if chain[place] == CITY_SECRETARY else above[::-1]
            role = "secretary" if chain[place] == CITY_SECRETARY else chain[place]
            for node_id in nodes:
                if found := self._holders.get((role, node_id)):
                    return Route(chain[place], place - start, tuple(found))
        return None


def routes_on(session: Session, day: date, branch: Organization | None = None) -> Routes:
    """The routes of `day` for every branch, or for one alone, which asks for a few rows only."""
    if branch is not None:
        return Routes(pool.posts(session, {"secretary", *ROLES}, day, path_ids(branch.path)))
    top = organizations.root(session)
    heads = pool.posts(session, {"secretary"}, day, [top.id] if top and top.id else [])
    return Routes([*pool.posts(session, ROLES, day), *heads])


def path_ids(path: str) -> list[int]:
    """The ids from the root down to the node at `path`."""
    return [int(part) for part in path.strip("/").split("/")]


def may_act(session: Session, warning: BranchWarning, branch: Organization, member_id: int, day: date) -> bool:
    """Whether the member may acknowledge this colour: one of those to whom it was routed, or escalated."""
    chain = pool_notices().chain_of(warning.owner_role)
    routes = routes_on(session, day, branch)
    first = routes.route(chain, branch.path)
    if first is None or member_id in first.member_ids:
        return first is not None
    after = routes.route(chain, branch.path, first.passed_over + 1) if warning.escalated_at else None
    return after is not None and member_id in after.member_ids
