"""The roll of a city: organisations, regions and members from a workbook or CSV, and what an import changes."""

from bot.roll.apply import apply
from bot.roll.plan import Plan, plan
from bot.roll.read import Refusal, Roll, read
from bot.roll.template import write_template

__all__ = ["Plan", "Refusal", "Roll", "apply", "plan", "read", "write_template"]
