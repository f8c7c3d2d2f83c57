"""The plan of the city: its tree, its regions, and for every branch how large and how good it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from bot.sample import places

BRANCHES_MAX, MEMBERS_MAX = 11_465, 316_714
BRANCHES_PER_COMMITTEE, BRANCHES_PER_REGION = 15, 8
SMALLEST, LARGEST, SAMPLE_SIZE = 8, 60, 28
SAMPLE, NEAR_VETO = 0, 3
"""Numbers of the branch of the sample member, and of another that has held too little."""

_KINDS = ("town", "town", "organs", "enterprise")
_U, _V, _G, _N, _S = "urban_community", "admin_village", "gov_institution", "two_new", "soe"
_FIELDS = {
    "town": (_U, _U, _V, _G, _N, _U, _V, _S, _U, _V, _U, _V, _N, _U, _V),
    "organs": (_G,) * 13 + (_S,) * 2,
    "enterprise": (_N,) * 8 + (_S,) * 7,
}


@dataclass(frozen=True, slots=True)
class Node:
    """One row of the tree."""

    id: int
    code: str
    name: str
    level: str
    parent_id: int | None
    path: str
    field: str | None = None
    founded_on: date | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch to be filled. quality: 0 (poor) to 1 (very good). region: from 0. people: how many belong to it."""

    number: int
    node: Node
    committee: Node
    committee_number: int
    region: int
    people: int
    quality: float


@dataclass(frozen=True, slots=True)
class City:
    """Nodes in the order in which they can be written, and the branches among them."""

    nodes: list[Node]
    branches: list[Branch]
    regions: int
    people: int

    def branch(self, number: int) -> Branch:
        """The branch of this number; in a smaller city its last one."""
        return self.branches[min(number, len(self.branches) - 1)]


def people_of(size: int) -> int:
    """How many members a city of `size` branches has: 25 a branch, 27.6 in the largest."""
    return size * 25 + (MEMBERS_MAX - BRANCHES_MAX * 25) * size**2 // BRANCHES_MAX**2


def plan(size: int, seed: int, today: date) -> City:
    """The city of `size` branches. Raises ValueError for a size that is not 1..11,465."""
    if not 1 <= size <= BRANCHES_MAX:
        raise ValueError(f"a sample city has 1 to {BRANCHES_MAX:,} branches, not {size:,}")
    random = Random(f"{seed}:city")
    regions = -(-size // BRANCHES_PER_REGION)
    counts = _counts(random, size)
    tree = _Tree()
    branches: list[Branch] = []
    for number in range(size):
        committee_number, place = divmod(number, BRANCHES_PER_COMMITTEE)
        if place == 0:
            tree.begin_committee(committee_number)
        founded = None
        if place > NEAR_VETO and random.random() < 0.04:
            founded = today - timedelta(days=random.randint(60, 1200))
        node = tree.branch(place, founded)
        quality = {SAMPLE: 0.8, NEAR_VETO: 0.45}.get(number, min(1.0, max(0.05, random.gauss(0.68, 0.2))))
        region = number % regions  # neighbours in a region belong to different committees
        branches.append(Branch(number, node, tree.committee, committee_number, region, counts[number], quality))
    return City(tree.nodes, branches, regions, sum(counts))


class _Tree:
    """The tree as it grows, parents first."""

    def __init__(self) -> None:
        self.nodes = [Node(1, "HX", places.CITY_NAME, "city", None, "/1/")]
        self.committee = self.nodes[0]
        self._committee_number = 0
        self._general: Node | None = None  # of the community that has a single branch so far
        self._communities = 0

    def begin_committee(self, number: int) -> None:
        """Add the next committee; what is added from now on stands below it."""
        kind = _KINDS[number % len(_KINDS)]
        self.committee = self._add(self.nodes[0], f"{number + 1:03d}", places.committee(number, kind), "committee")
        self._committee_number, self._general, self._communities = number, None, 0

    def branch(self, place: int, founded: date | None) -> Node:
        """Add the branch at `place` of the committee; every two of a community have a general branch."""
        field = _FIELDS[_KINDS[self._committee_number % len(_KINDS)]][place]
        code = f"{place + 1:02d}"
        if field == _U:
            return self._grid(code, place, founded)
        name, where = places.branch(field, self._committee_number, place)
        return self._add(self.committee, code, name, "branch", field, founded, where)

    def _grid(self, code: str, place: int, founded: date | None) -> Node:
        # The sample branch is the second grid of its community, as its name says in every example.
        first_grid = 1 if (self._committee_number, place) == (0, 0) else 0
        general, grid = self._general, 1
        if general is None:
            community = places.community(self._committee_number * 3 + self._communities)
            self._communities += 1
            where = f"{community}党群服务中心"
            general = self._add(self.committee, f"G{code}", f"{community}党总支", "general_branch", where=where)
            self._general, grid = general, first_grid
        else:
            self._general = None
            grid = 0 if (self._committee_number, place) == (0, 1) else 1
        name = places.grid_branch(general.name.removesuffix("党总支"), grid)
        return self._add(general, code, name, "branch", _U, founded, general.place)

    def _add(
        self,
        parent: Node,
        code: str,
        name: str,
        level: str,
        field: str | None = None,
        founded: date | None = None,
        where: str = "",
    ) -> Node:
        node_id = len(self.nodes) + 1
        full = code if parent.parent_id is None else f"{parent.code}-{code}"
        made = Node(node_id, full, name, level, parent.id, f"{parent.path}{node_id}/", field, founded, where)
        self.nodes.append(made)
        return made


def _counts(random: Random, size: int) -> list[int]:
    """Members per branch, most of them small ones, with the wanted sum."""
    counts = [min(LARGEST, max(SMALLEST, round(random.lognormvariate(3.1, 0.45)))) for _ in range(size)]
    counts[SAMPLE] = SAMPLE_SIZE
    missing = people_of(size) - sum(counts)
    step = 1 if missing > 0 else -1
    number = 0
    while missing and size > 1:
        number = number % (size - 1) + 1  # the sample branch keeps its size
        if SMALLEST <= counts[number] + step <= LARGEST:
            counts[number] += step
            missing -= step
    return counts
