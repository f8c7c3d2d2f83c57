"""Department spreadsheets: read safely, the empty form, the verdicts as a file, and their way in from a chat."""

from bot.sheets.read import read
from bot.sheets.refusal import Refusal

__all__ = ["Refusal", "read"]
