"""Red Letters as people see them, and what happens to one after it was sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import deliveries, letters, receipts
from db.letters import Letter, Topic
from notices import carried
from notices.channel import Button, Message
from notices.letter_words import Reader, body, picture
from notices.markup import PLACE, Marked, joined, parse, places
from notices.wording import Wording

TITLE_MAX = 40  # characters of a first line that is taken as the title
NAME_MAX = 18  # characters of a letter's name in a list
KEPT_FOR = timedelta(days=30)  # after this a letter that still waits is not handed over any more
OWN_LEVELS = ("branch", "party_group")  # nodes whose secretary writes to their own people, without a second person


def key_of(letter: Letter) -> str:
    """The key of the letter's rows in the outbox."""
    return f"letter:{letter.id}"


def chase_key(letter: Letter, day: str) -> str:
    """The key of the reminder that goes to those who have not read it, once on one day."""
    return f"letter:{letter.id}:chase:{day}"


def topic_title(topic: Topic, say: Wording) -> str:
    """The topic's name in the reader's language."""
    return topic.title_en if say.language == "en" else topic.title


def name_of(letter: Letter) -> str:
    """What a letter is called in a list: its title, or the beginning of its text."""
    name = letter.title or " ".join(PLACE.sub("", parse(letter.body).text).split())
    return name if len(name) <= NAME_MAX else name[: NAME_MAX - 1] + "…"


def parted(text: str) -> tuple[str, str]:
    """(title, body): a short first line is the title, without its markup; without one the title is empty.

    A line that greets its reader by name is none: a title is the same for everybody.
    """
    first, _, rest = text.strip().partition("\n")
    title = parse(first.strip())
    if rest.strip() and len(title.text) <= TITLE_MAX and not title.links and not places(title.text):
        return title.text, rest.strip()
    return "", text.strip()


def letter_message(
    letter: Letter,
    topic: Topic,
    say: Wording,
    zone: ZoneInfo,
    *,
    reader: Reader | None = None,
    trial: bool = False,
) -> Message:
    """The letter as `reader` sees it. trial: a rehearsal, which looks different and has no working buttons."""
    heading = "letters.heading_trial" if trial else "letters.heading"
    lines: list[str | Marked] = [say("letters.trial_banner")] if trial else []
    lines += [
        say(heading, topic=topic_title(topic, say), title=letter.title).rstrip(),
        _body(letter, say, zone, reader),
    ]
    if topic.mandatory:
        lines.append(say("letters.mandatory"))
    if letter.answer_until and letter.ask == "ack":
        lines.append(say("letters.answer_until", when=_day_and_time(letter.answer_until, say, zone)))
    if trial:
        lines.append(say("letters.trial"))
    words = joined(lines)
    buttons = () if trial else _buttons(letter, topic, say)
    return Message(words.text, buttons, picture(letter, say, name_of(letter)), marks=words.marks)


def _body(letter: Letter, say: Wording, zone: ZoneInfo, reader: Reader | None) -> Marked:
    """The words of the letter; those of a correction stand behind the prepared ones."""
    words = body(letter, say, zone, reader)
    if letter.corrects is None:
        return words
    return joined([say("letters.taken_back"), words]) if words.text else Marked(say("letters.taken_back"))


def chase_message(letter: Letter, topic: Topic, say: Wording, zone: ZoneInfo) -> Message:
    """The one more message to those who have not read the letter."""
    lines = [say("letters.chase", topic=topic_title(topic, say), name=name_of(letter))]
    if letter.answer_until and letter.ask == "ack":
        lines.append(say("letters.answer_until", when=_day_and_time(letter.answer_until, say, zone)))
    read = Button(say("letters.open"), f"letters:open:{letter.id}")
    answers = tuple(
        button for button in _buttons(letter, topic, say) if not button.action.startswith("letters:leave")
    )
    return Message("\n".join(lines), (read, *answers))


def row_message(
    key: str, letter: Letter, topic: Topic, say: Wording, zone: ZoneInfo, reader: Reader | None = None
) -> Message:
    """What a row of the outbox without content of its own says: the letter, or the reminder of it."""
    if key.startswith(f"letter:{letter.id}:chase:"):
        return chase_message(letter, topic, say, zone)
    return letter_message(letter, topic, say, zone, reader=reader)


def _buttons(letter: Letter, topic: Topic, say: Wording) -> tuple[Button, ...]:
    leave = Button(say("letters.leave"), f"letters:leave:{letter.id}")
    return _answers(letter, say) if topic.mandatory else (*_answers(letter, say), leave)


def _answers(letter: Letter, say: Wording) -> tuple[Button, ...]:
    if letter.ask != "ack":
        return Button(say("letters.read"), f"letters:read:{letter.id}"), *carried.buttons(letter, say)
    ack = Button(say("letters.ack"), f"letters:ack:{letter.id}")
    trouble = Button(say("letters.help"), f"letters:help:{letter.id}")
    return ack, trouble, *carried.buttons(letter, say)


def _day_and_time(at: datetime, say: Wording, zone: ZoneInfo) -> str:
    here = at.astimezone(zone)
    return say("letters.day_at", month=here.month, day=here.day, time=here.strftime("%H:%M"))


def needs_second_person(letter: Letter, *, own: bool) -> bool:
    """Whether somebody else has to approve it: it goes beyond the author's own branch, or into the night.

    own: it goes to a branch in which its author holds the office (`letter_rights.in_own_branch`).
    A correction as it was prepared needs nobody: whoever approved the letter has approved that it can be taken
    back, and waiting is what makes a wrong letter worse. Words of one's own do need somebody above the branch, and
    whatever else it might hold needs somebody everywhere.
    """
    if letter.corrects is None:
        return letter.urgent or not own
    added = (letter.picture_id, letter.carries, letter.repeats, letter.answer_until, letter.ask != "none")
    return any(added) or (bool(letter.body) and not own)


def change_action(letter: Letter) -> str:
    """The button's action that lets its author change a letter that is not sent yet."""
    return f"broadcast:edit:{letter.id}" if letter.corrects is None else f"letter_correction:of:{letter.corrects}"


def shown(session: Session, member_id: int, key: str, now: datetime) -> bool:
    """Note that a page has shown what was sent under `key` (as `Channel.send` got it): that counts as read.

    False when it is not a letter that was written to this member.
    """
    words = key.split(":")
    if len(words) < 2 or words[0] != "letter" or not words[1].isdigit():
        return False
    return act(session, int(words[1]), member_id, "read", now) is not None


def act(
    session: Session, letter_id: int, member_id: int, what: str, now: datetime
) -> tuple[letters.Receipt, bool] | None:
    """Note that a recipient did `what` (read, ack, help): the receipt, and whether this was the first time.

    None when the letter was never written to this member. Whoever acts on it has got it: a doubt is over.
    """
    written = deliveries.of_letter(session, letter_id, member_id)
    if written is None:
        return None
    if written.state == "ambiguous" and written.id is not None:
        deliveries.arrived(session, written.id)
    before = receipts.of(session, letter_id, member_id)
    moments = {"read": "read_at", "ack": "acked_at", "help": "help_at"}
    first = before is None or getattr(before, moments[what]) is None
    return receipts.note(session, letter_id, member_id, what, now), first


def without_numbers(message: Message) -> Message:
    """The message with its buttons to be counted anew behind others."""
    return replace(message, buttons=tuple(replace(button, number=None) for button in message.buttons))
