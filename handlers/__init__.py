"""What a person can say: one file per conversation. A new conversation is a file and a line in COMMANDS."""

from handlers.check_in import CHECK_IN
from handlers.conversation import Command
from handlers.menu import ABOUT, MENU, SECRETARY

COMMANDS: tuple[Command, ...] = (
    MENU,
    ABOUT,
    SECRETARY,
    CHECK_IN,
)
"""Every conversation. The order decides nothing but who comes first when two match equally well."""
