"""What a person can say: one file per conversation. A new conversation is a file and a line in COMMANDS."""

from handlers.activities import ACTIVITIES
from handlers.appeals import APPEAL, APPEAL_PICTURE
from handlers.appraisal import APPRAISAL
from handlers.binding import START, UNBIND
from handlers.boards import BOARD
from handlers.broadcast import BROADCAST
from handlers.check_in import CHECK_IN, UNDO_CHECK_IN
from handlers.conversation import Command
from handlers.corrections import CORRECTION
from handlers.dated_facts import DATED
from handlers.declaration_review import DECLARATION_REVIEW
from handlers.declarations import DECLARE
from handlers.diagnosis import DIAGNOSIS
from handlers.dues import DUES
from handlers.duty_done import DUTY_DONE
from handlers.grades import GRADES
from handlers.groups import GROUP
from handlers.hand_over import HAND_OVER
from handlers.indices import INDEX
from handlers.inspection_review import INSPECTION_REVIEW
from handlers.inspections import INSPECT
from handlers.letter_approval import APPROVALS
from handlers.letter_correction import LETTER_CORRECTION
from handlers.letter_replies import REPLY
from handlers.letter_report import REPORT
from handlers.letter_stop import STOP
from handlers.letters import LETTERS, NO_MORE, RECEIVED, RESUME, TROUBLE
from handlers.me import LANGUAGE, ME, PRIVACY
from handlers.menu import ABOUT, MENU, SECRETARY
from handlers.not_yet import NOT_YET
from handlers.objections import OBJECTION
from handlers.offices import OFFICES_COMMAND
from handlers.org_power import ORG_POWER
from handlers.points import POINTS
from handlers.quiz import QUIZ
from handlers.receipts import RECEIPTS
from handlers.record_review import RECORD_REVIEW
from handlers.recording import RECORDING, RECORDS
from handlers.rectification import RECTIFY
from handlers.remote import PRESENT, REMOTE
from handlers.reply_desk import REPLIES
from handlers.resolutions import RESOLUTIONS
from handlers.rewards import REWARDS
from handlers.sheets import SHEET
from handlers.six_stars import SIX_STARS
from handlers.spot_checks import SPOT_CHECK
from handlers.standards import STANDARDS
from handlers.star_corrections import STAR_CORRECTIONS
from handlers.stars import STARS
from handlers.study import STUDY
from handlers.survey import SURVEY
from handlers.vetoes import VETOES
from handlers.warnings import WARNINGS
from handlers.wish_review import WISH_REVIEW
from handlers.wishes import WISHES
from handlers.work import WORK
from handlers.year_close import YEAR_CLOSE

COMMANDS: tuple[Command, ...] = (
    MENU,
    ABOUT,
    SECRETARY,
    WORK,
    START,
    UNBIND,
    CHECK_IN,
    UNDO_CHECK_IN,
    POINTS,
    INDEX,
    ORG_POWER,
    DIAGNOSIS,
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
    RECORDS,
    RECORDING,
    RECORD_REVIEW,
    DUES,
    STUDY,
    GRADES,
    RESOLUTIONS,
    OBJECTION,
    APPEAL,
    APPEAL_PICTURE,
    WARNINGS,
    SHEET,
    APPRAISAL,
    STARS,
    SIX_STARS,
    STANDARDS,
    YEAR_CLOSE,
    VETOES,
    STAR_CORRECTIONS,
    BROADCAST,
    APPROVALS,
    RECEIPTS,
    NOT_YET,
    QUIZ,
    SURVEY,
    REPLY,
    REPLIES,
    STOP,
    NO_MORE,
    RESUME,
    GROUP,
    DATED,
    DUTY_DONE,
    OFFICES_COMMAND,
    REPORT,
    LETTER_CORRECTION,
    INSPECT,
    RECTIFY,
    INSPECTION_REVIEW,
    ME,
    PRIVACY,
    LANGUAGE,
)
"""Every conversation. The order decides nothing but who comes first when two match equally well."""
