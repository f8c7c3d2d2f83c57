"""Red Letters for their readers: the last ones, answering them, topics, pause and quiet hours."""

from __future__ import annotations

from collections.abc import Callable

from db import letters, members, receipts
from db.letters import Letter, Topic
from handlers import card_consent, subscriptions
from handlers.conversation import Button, Command, Context, Message, Reply
from handlers.dates import said_time
from handlers.quiet_hours import hours, quiet_hours
from handlers.time_zones import time_zone
from notices import quiet
from notices.letter_words import Reader
from notices.letters import act, letter_message, name_of
from notices.markup import Marked, joined
from notices.outbox import tell

SHOWN = 5  # letters in one list


def red_letters(ctx: Context) -> Reply:
    """`红信`, or a button: an act of ACTS with its arguments."""
    run = ACTS.get(ctx.arg())
    return run(ctx) if run else _home(ctx)


def _home(ctx: Context) -> Reply:
    say, member = ctx.say, members.get(ctx.session, ctx.me)
    topics = letters.topics(ctx.session)
    left = letters.left_topics(ctx.session, ctx.me)
    wanted = sum(topic.mandatory or topic.id not in left for topic in topics)
    begins, ends = hours(ctx)
    name = "letters.home_no_quiet" if begins == ends else "letters.home"
    lines = [say(name, count=len(topics), wanted=wanted, begins=quiet.shown(begins), ends=quiet.shown(ends))]
    until = member.letters_paused_until
    paused = until is not None and ctx.today < until
    if until is not None and paused:
        lines.append(say("letters.paused", day=subscriptions.said_day(ctx, until)))
    pause = "resume" if paused else "pause"
    steps = (
        Button(say("letters.last"), "letters:last"),
        Button(say("letters.topics"), "letters:topics"),
        Button(say(f"letters.{pause}"), f"letters:{pause}"),
        Button(say("letters.quiet"), "letters:quiet"),
        *card_consent.offered(ctx),
    )
    return Reply("\n".join(lines), steps)


def _last(ctx: Context) -> Reply:
    page = ctx.arg_id(1) or 0
    found = letters.received(ctx.session, ctx.me, most=SHOWN + 1, offset=page * SHOWN)
    if not found:
        return Reply(ctx.say("letters.none_yet"), back="letters")
    steps = [Button(_listed(ctx, letter), f"letters:open:{letter.id}") for letter in found[:SHOWN]]
    if len(found) > SHOWN:
        steps.append(Button(ctx.say("letters.more"), f"letters:last:{page + 1}"))
    return Reply(ctx.say("letters.last_ones"), tuple(steps), back="letters")


def _listed(ctx: Context, letter: Letter) -> str:
    day = (letter.sent_at or letter.created_at).astimezone(ctx.zone)
    name = name_of(letter)
    shown = ctx.say("letters.marked", words=name) if letters.taken_back(letter) else name
    return ctx.say("letters.listed", name=shown, month=day.month, day=day.day)


def _open(ctx: Context) -> Reply:
    """The whole letter again; who opens it has read it."""
    found = _mine(ctx, "read")
    if found is None:
        return _unknown(ctx)
    letter, topic, _ = found
    message = letter_message(letter, topic, ctx.say, ctx.zone, reader=Reader(ctx.who.name, ctx.who.branch_name))
    if letters.taken_back(letter):  # whole, to compare, but nothing to press
        lines = (
            ctx.say("letters.marked", words=ctx.say("letters.taken_back")),
            Marked(message.text, message.marks),
        )
        words = joined(lines)
        return Reply(words.text, (), message.picture, back="letters:last", marks=words.marks)
    return _reply(message, back="letters:last")


def _reply(message: Message, back: str) -> Reply:
    return Reply(message.text, message.buttons, message.picture, back=back, marks=message.marks)


def _mine(ctx: Context, what: str) -> tuple[Letter, Topic, bool] | None:
    """The letter in the arguments with its topic, after noting `what`, and whether that is new. None: not mine."""
    letter_id = ctx.arg_id(1)
    if letter_id is None:
        return None
    letter = ctx.session.get(Letter, letter_id)
    what = "read" if letter is not None and letters.taken_back(letter) else what  # it takes no answers any more
    noted = act(ctx.session, letter_id, ctx.me, what, ctx.now)
    if noted is None or letter is None:
        return None
    topic = ctx.session.get(Topic, letter.topic_id)
    assert topic is not None
    return letter, topic, noted[1]


def _unknown(ctx: Context) -> Reply:
    """The same words for a letter that is not mine and one that does not exist."""
    return Reply(ctx.say("letters.not_found"), (Button(ctx.say("letters.last"), "letters:last"),))


def _ack(ctx: Context) -> Reply:
    found = _mine(ctx, "ack")
    if found is None:
        return _unknown(ctx)
    letter, _, first = found
    if letters.taken_back(letter):
        return _nothing_to_do(ctx, letter)
    lines = [_said(ctx, letter, "acked", first)]
    if first and letter.answer_until is not None and ctx.now > letter.answer_until:
        lines.append(ctx.say("letters.late"))
    return Reply("\n".join(lines), (_help_step(ctx, letter), _last_step(ctx)))


def _help(ctx: Context) -> Reply:
    found = _mine(ctx, "help")
    if found is None:
        return _unknown(ctx)
    letter, _, first = found
    if letters.taken_back(letter):
        return _nothing_to_do(ctx, letter)
    if first and letter.author_id is not None:
        see = Button(ctx.say("letters.see_who"), f"receipts:help:{letter.id}")
        message = Message(ctx.say("letters.someone_needs_help", name=name_of(letter)), (see,))
        key = f"letter:{letter.id}:help:{ctx.me}"
        tell(ctx.session, member_id=letter.author_id, key=key, message=message, now=ctx.now)
    return Reply(_said(ctx, letter, "helped", first), (_last_step(ctx),))


def _nothing_to_do(ctx: Context, letter: Letter) -> Reply:
    return Reply(ctx.say("letters.was_taken_back", name=name_of(letter)), (_last_step(ctx),))


def _read(ctx: Context) -> Reply:
    found = _mine(ctx, "read")
    if found is None:
        return _unknown(ctx)
    return Reply(ctx.say("letters.noted", name=name_of(found[0])), (_last_step(ctx),))


def _said(ctx: Context, letter: Letter, what: str, first: bool) -> str:
    """The first answer is confirmed; at the second one it is told when the first was."""
    if first:
        return ctx.say(f"letters.{what}", name=name_of(letter))
    assert letter.id is not None
    receipt = receipts.of(ctx.session, letter.id, ctx.me)
    assert receipt is not None
    before = receipt.acked_at if what == "acked" else receipt.help_at
    assert before is not None
    return ctx.say(f"letters.{what}_before", name=name_of(letter), when=said_time(ctx, before))


def _help_step(ctx: Context, letter: Letter) -> Button:
    return Button(ctx.say("letters.help"), f"letters:help:{letter.id}")


def _last_step(ctx: Context) -> Button:
    return Button(ctx.say("letters.last"), "letters:last")


def _leave(ctx: Context) -> Reply:
    """Leave the topic of the letter in the arguments."""
    found = _mine(ctx, "read")
    return _unknown(ctx) if found is None else subscriptions.choose(ctx, found[1], wanted=False)


def no_more(ctx: Context) -> Reply:
    """`停发`, `TD`, `不要给我发了`: what can be left, one topic or all of them."""
    return subscriptions.topics(ctx)


def received(ctx: Context) -> Reply:
    """`收到` typed by itself: the answer to the last letter that waits for one."""
    return _to_last(ctx, _ack)


def trouble(ctx: Context) -> Reply:
    """`有困难` typed by itself: the answer to the last letter that waits for one."""
    return _to_last(ctx, _help)


def _to_last(ctx: Context, answer: Callable[[Context], Reply]) -> Reply:
    letter_id = receipts.last_asking(ctx.session, ctx.me)
    if letter_id is None:
        return Reply(ctx.say("letters.nothing_to_ack"), (_last_step(ctx),))
    ctx.args = ("ack", str(letter_id))
    return answer(ctx)


ACTS = {
    "last": _last,
    "open": _open,
    "ack": _ack,
    "help": _help,
    "read": _read,
    "leave": _leave,
    "topics": subscriptions.topics,
    "on": subscriptions.on,
    "off": subscriptions.off,
    "pause": subscriptions.pause,
    "resume": subscriptions.resume,
    "quiet": quiet_hours,
    "zone": time_zone,
    "cards": card_consent.card_consent,
}
LETTERS = Command(
    "letters",
    ("红信", "订阅", "退订", "letters", "red letters"),
    red_letters,
    slash=("/letters",),
    phrases=("看红信", "我的订阅", "subscribe"),
    steps={
        **dict.fromkeys(("最近的红信", "最近的通知", "有新通知吗", "通知在哪里", "last letters"), "last"),
        **dict.fromkeys(("选主题", "取消订阅", "别给我发消息了", "不要再发了", "unsubscribe"), "topics"),
        **dict.fromkeys(("暂停接收", "暂停红信", "pause letters"), "pause"),
        **dict.fromkeys(("免打扰", "勿扰时间", "勿扰", "晚上别发", "太吵了", "quiet hours"), "quiet"),
        **dict.fromkeys(("来信提醒", "微信提醒", "有信时提醒我", "card reminders"), "cards"),
        **dict.fromkeys(("时区", "我的时区", "我在国外", "time zone"), "zone"),
    },
    openings={
        **dict.fromkeys(
            ("暂停接收到", "暂停红信到", "暂停到", "暂停至", "暂停#", "pause until", "pause for"), "pause:say"
        ),
        **dict.fromkeys(("退订", "不看", "unsubscribe from", "leave topic"), "off"),
        **dict.fromkeys(("订阅", "subscribe to"), "on"),
        "我的时区": "zone:say",
    },
    order=50,
)
NO_MORE = Command(
    "no_more",
    ("停发", "td", "全部退订", "都不要了", "unsubscribe all"),
    no_more,
    phrases=("不要给我发了", "别给我发了", "别发了", "不想收了", "stop writing to me"),
    in_menu=False,
)
RESUME = Command(
    "resume", ("恢复", "恢复接收", "恢复红信", "resume letters"), subscriptions.resume, in_menu=False, acts=True
)
RECEIVED = Command("received", ("收到", "已收到", "received"), received, in_menu=False, acts=True, politely=True)
TROUBLE = Command("trouble", ("有困难", "请联系我"), trouble, in_menu=False, acts=True, politely=True)
