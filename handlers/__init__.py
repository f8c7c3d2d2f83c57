"""What a person can say: one file per conversation. A new conversation is a file and a line in COMMANDS."""

from handlers.activities import ACTIVITIES
from handlers.appraisal import APPRAISAL
from handlers.binding import START, UNBIND
from handlers.boards import BOARD
from handlers.broadcast import BROADCAST
from handlers.check_in import CHECK_IN, UNDO_CHECK_IN
from handlers.conversation import Command
from handlers.corrections import CORRECTION
from handlers.declaration_review import DECLARATION_REVIEW
from handlers.declarations import DECLARE
from handlers.hand_over import HAND_OVER
from handlers.indices import INDEX
from handlers.inspection_review import INSPECTION_REVIEW
from handlers.inspections import INSPECT
from handlers.letter_approval import APPROVALS
from handlers.letters import LETTERS, RECEIVED, TROUBLE
from handlers.me import LANGUAGE, ME, PRIVACY
from handlers.menu import ABOUT, MENU, SECRETARY
from handlers.points import POINTS
from handlers.receipts import RECEIPTS, STOP
from handlers.rectification import RECTIFY
from handlers.remote import PRESENT, REMOTE
from handlers.rewards import REWARDS
from handlers.spot_checks import SPOT_CHECK
from handlers.warnings import WARNINGS
from handlers.wish_review import WISH_REVIEW
from handlers.wishes import WISHES

COMMANDS: tuple[Command, ...] = (
    MENU,
    ABOUT,
    SECRETARY,
    START,
    UNBIND,
    CHECK_IN,
    UNDO_CHECK_IN,
    POINTS,
    INDEX,
    BOARD,
    REWARDS,
    HAND_OVER,
    WISHES,
    WISH_REVIEW,
    DECLARE,
    DECLARATION_REVIEW,
    SPOT_CHECK,
    CORRECTION,
    ACTIVITIES,
    REMOTE,
    PRESENT,
    LETTERS,
    RECEIVED,
    TROUBLE,
    WARNINGS,
    APPRAISAL,
    BROADCAST,
    APPROVALS,
    RECEIPTS,
    STOP,
    INSPECT,
    RECTIFY,
    INSPECTION_REVIEW,
    ME,
    PRIVACY,
    LANGUAGE,
)
"""Every conversation. The order decides nothing but who comes first when two match equally well."""
