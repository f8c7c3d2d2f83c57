"""What `python -m bot demo` says before it serves: the address, the sample people, and what to try first."""

from __future__ import annotations

from rich.console import Console
from sqlalchemy.engine import Engine

from bot.sample import people
from bot.settings import Settings
from notices.wording import wording


def introduce(engine: Engine, settings: Settings, out: Console) -> None:
    """Print the address and the sample people."""
    say = wording("zh")
    out.print(f"\n红信 Hongxin  http://{settings.host}:{settings.port}\n", markup=False)
    for role, person in people(engine).by_role().items():
        out.print(f"  {say(f'sample.{role}')}: {person.name} ({person.branch}), id {person.id}", markup=False)
        out.print(f"    {say(f'sample.try_{role}')}", markup=False)
    out.print("\nCtrl+C 停止 / stops\n", markup=False)
