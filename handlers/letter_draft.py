"""The draft of a letter: topic, words, picture, time for answers. `letter_preview` shows what would happen."""

from __future__ import annotations

from typing import Any

from db import audit, letter_templates, letters
from db.audiences import Audience, audience
from db.letters import Letter, Topic
from db.organizations import Organization
from handlers import letter_part, letter_refusals
from handlers.conversation import Button, Context, Reply
from handlers.letter_audience import name_for, nodes
from handlers.letter_preview import preview
from handlers.spoken_time import spoken_window
from notices.letter_words import TEXT_MAX, fault
from notices.letters import OWN_LEVELS, change_action, key_of, parted, topic_title

OPEN = ("draft", "submitted")  # states in which the author may still change it


def mine(ctx: Context) -> Letter | None:
    """The letter in the arguments, if I may still change it; whatever else is asked for stands in the audit log.

    A correction is none of them: its content was prepared, and only `letter_correction` adds words to it.
    An approval that begins now waits for what I do.
    """
    letter = of_mine(ctx)
    if letter is None or (letter.state in OPEN and letter.corrects is None):
        return letter
    letter_refusals.draft(ctx, letter)
    return None


def of_mine(ctx: Context) -> Letter | None:
    """The letter in the arguments in whatever state, locked, if I wrote it and may still write to its readers."""
    letter_id = ctx.arg_id(1)
    if letter_id is None:
        return None
    letter = ctx.session.get(Letter, letter_id, with_for_update=True, populate_existing=True)
    if letter is None:
        return None
    if letter.author_id != ctx.me or name_for(ctx, audience(letter.audience)) is None:  # or the role has ended
        letter_refusals.draft(ctx, letter)
        return None
    return letter


def reopen(ctx: Context, letter: Letter) -> None:
    """Void a submission: whatever is changed now has to be approved anew."""
    if letter.state != "submitted":
        return
    void = {"state": "draft", "content_hash": "", "submitted_at": None}
    if letters.move(ctx.session, letter, was=("submitted",), **void):
        said = {"subject": key_of(letter), "step": ctx.arg()}
        audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.voided", **said)


def gone(ctx: Context) -> Reply:
    """Why the draft in the arguments cannot be changed, and what can be done instead.

    The same words for one that is somebody else's and one that does not exist.
    """
    letter = ctx.session.get(Letter, letter_id) if (letter_id := ctx.arg_id(1)) is not None else None
    if letter is None or letter.author_id != ctx.me:
        return Reply(ctx.say("broadcast.draft_gone"), (Button(ctx.say("menu.broadcast"), "broadcast"),))
    if letter.corrects is not None and letter.state in OPEN:
        see = Button(ctx.say("letter_correction.see"), change_action(letter))
        return Reply(ctx.say("letter_correction.fixed"), (see,))
    if letter.sent_at is not None:
        progress = Button(ctx.say("broadcast.progress"), f"report:show:{letter.id}")
        back = Button(ctx.say("letter_correction.to_all_who_got"), f"letter_correction:of:{letter.id}")
        steps = (progress,) if letter.corrects is not None else (progress, back)
        return Reply(ctx.say("broadcast.sent_already"), steps)
    if letter.state == "standing":
        see = Button(ctx.say("letter_series.see"), f"broadcast:series:{letter.id}")
        return Reply(ctx.say("letter_series.stands_already"), (see,))
    if letter.state == "submitted":
        edit_it = Button(ctx.say("broadcast.edit"), f"broadcast:edit:{letter.id}")
        return Reply(ctx.say("broadcast.submitted_already"), (edit_it,))
    return Reply(ctx.say("broadcast.draft_gone"), (Button(ctx.say("menu.broadcast"), "broadcast"),))


def choose_topic(ctx: Context) -> Reply:
    """`broadcast:topic:NODE:WHO`: on what (WHO as in `letter_part`); with the topic behind it a draft begins."""
    node_id, who = ctx.arg_id(1), ctx.arg(2)
    whom = letter_part.audience_of(ctx, node_id, who) if node_id is not None else None
    if whom is None or name_for(ctx, whom) is None:
        return letter_refusals.audience(ctx)
    topic = ctx.session.get(Topic, ctx.arg(3))
    if topic is not None:
        return _begin(ctx, whom, topic)
    steps = tuple(
        Button(topic_title(one, ctx.say), f"broadcast:topic:{node_id}:{who}:{one.id}")
        for one in letters.topics(ctx.session)
    )
    return Reply(ctx.say("broadcast.which_topic"), steps, back=f"broadcast:whom:{node_id}")


def _begin(ctx: Context, whom: Audience, topic: Topic) -> Reply:
    node = name_for(ctx, whom)
    assert node is not None
    assert node.id is not None
    letters.drop_drafts(ctx.session, ctx.me)
    letter = Letter(
        topic_id=topic.id,
        author_id=ctx.me,
        organization_id=node.id,
        audience=whom.to_json(),
        title="",
        body="",
        lane=1 if node.level in OWN_LEVELS else 2,
        created_at=ctx.now,
    )
    ctx.session.add(letter)
    ctx.session.flush()
    return ask_text(ctx, letter)


def ask_text(ctx: Context, letter: Letter, note: str = "") -> Reply:
    """Wait for the words of the letter; a picture may come with them, or before."""
    text = note or "\n".join((ctx.say("broadcast.write", most=TEXT_MAX), ctx.say("letter_content.how")))
    back = f"broadcast:show:{letter.id}" if letter.body else f"broadcast:whom:{letter.audience['node']}"
    paths = [node.path for node in nodes(ctx)]
    begins = not letter.body and bool(letter_templates.seen_by(ctx.session, ctx.me, paths))
    use = Button(ctx.say("letter_templates.use"), f"broadcast:templates:{letter.id}")
    return Reply(text, (use,) if begins else (), expect=f"broadcast:text:{letter.id}", back=back)


def text_given(ctx: Context) -> Reply:
    """`broadcast:text:ID` with what was typed, or with a picture and the words under it."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    text = ctx.args[-1].strip() if len(ctx.args) > 2 else ""
    if ctx.picture_id is not None:
        _keep_picture(ctx, letter, ctx.picture_id)
        if not text:
            return _picture_taken(ctx, letter)
    if not text:
        return ask_text(ctx, letter)
    # The cleaned text is cut at some length and freed of signs that nobody sees; what came says what it was.
    wrong = fault(text, typed=ctx.incoming.text)
    if wrong is not None:
        return ask_text(ctx, letter, letter_refusals.content(ctx, letter, wrong))
    reopen(ctx, letter)
    letter.title, letter.body = parted(text)
    store(ctx, letter)
    return preview(ctx, letter)


def picture(ctx: Context) -> Reply:
    """`broadcast:picture:ID`, then with the picture itself: one for the letter, or another one."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    if ctx.picture_id is None:
        back = f"broadcast:show:{letter.id}"
        return Reply(ctx.say("letter_content.send_picture"), expect=f"broadcast:picture:{letter.id}", back=back)
    _keep_picture(ctx, letter, ctx.picture_id)
    return _picture_taken(ctx, letter)


def _picture_taken(ctx: Context, letter: Letter) -> Reply:
    """On with the preview, or with the words that are still missing."""
    if not letter.body:
        return ask_text(ctx, letter, ctx.say("letter_content.words_too"))
    return preview(ctx, letter, note=ctx.say("letter_content.picture_kept"))


def no_picture(ctx: Context) -> Reply:
    """`broadcast:no_picture:ID`: words alone."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    _keep_picture(ctx, letter, None)
    return preview(ctx, letter, note=ctx.say("letter_content.picture_gone"))


def _keep_picture(ctx: Context, letter: Letter, picture_id: int | None) -> None:
    reopen(ctx, letter)
    letter.picture_id = picture_id
    store(ctx, letter)


def show(ctx: Context) -> Reply:
    """`broadcast:show:ID`: the preview, or the question for the words that are still missing."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    return preview(ctx, letter) if letter.body else ask_text(ctx, letter)


def edit(ctx: Context) -> Reply:
    """`broadcast:edit:ID`: what to change."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    ask = "no_ask" if letter.ask == "ack" else "do_ask"
    steps = [
        Button(ctx.say("broadcast.edit_text"), f"broadcast:text:{letter.id}"),
        Button(ctx.say("broadcast.edit_picture"), f"broadcast:picture:{letter.id}"),
        Button(ctx.say(f"broadcast.{ask}"), f"broadcast:ask:{letter.id}"),
        Button(ctx.say("extras.button"), f"broadcast:extras:{letter.id}"),
        Button(ctx.say("broadcast.more_steps"), f"broadcast:more:{letter.id}"),
    ]
    if letter.repeats is None:
        steps.insert(2, Button(ctx.say("broadcast.edit_until"), f"broadcast:until:{letter.id}"))
    if letter.picture_id is not None:
        steps.insert(2, Button(ctx.say("broadcast.no_picture"), f"broadcast:no_picture:{letter.id}"))
    return Reply(ctx.say("broadcast.edit_which"), tuple(steps), back=f"broadcast:show:{letter.id}")


def more(ctx: Context) -> Reply:
    """`broadcast:more:ID`: what is changed less often."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    urgent = "not_urgent" if letter.urgent else "urgent"
    steps = (
        Button(ctx.say("broadcast.repeat"), f"broadcast:repeat:{letter.id}"),
        Button(ctx.say("broadcast.keep"), f"broadcast:keep:{letter.id}"),
        Button(ctx.say(f"broadcast.{urgent}"), f"broadcast:urgent:{letter.id}"),
        Button(ctx.say("broadcast.edit_whom"), "broadcast"),
    )
    return Reply(ctx.say("broadcast.edit_which"), steps, back=f"broadcast:edit:{letter.id}")


def toggle_ask(ctx: Context) -> Reply:
    """`broadcast:ask:ID`: with or without the 收到 button."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    reopen(ctx, letter)
    letter.ask = "none" if letter.ask == "ack" else "ack"
    store(ctx, letter)
    return preview(ctx, letter)


def toggle_urgent(ctx: Context) -> Reply:
    """`broadcast:urgent:ID`: also in quiet hours, and then only with a second person."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    reopen(ctx, letter)
    letter.urgent = not letter.urgent
    node = ctx.session.get(Organization, letter.organization_id)
    assert node is not None
    letter.lane = 0 if letter.urgent else 1 if node.level in OWN_LEVELS else 2
    store(ctx, letter)
    return preview(ctx, letter)


def until(ctx: Context) -> Reply:
    """`broadcast:until:ID` with what was typed: until when an answer is asked for."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    waiting: dict[str, Any] = {"expect": f"broadcast:until:{letter.id}", "back": f"broadcast:show:{letter.id}"}
    if len(ctx.args) < 3:
        return Reply(ctx.say("broadcast.until_when"), **waiting)
    found = spoken_window(ctx.args[-1], ctx.now, ctx.zone)
    if found is None or found.starts_at <= ctx.now:
        return Reply(ctx.say("broadcast.until_wrong"), **waiting)
    reopen(ctx, letter)
    letter.answer_until, letter.ask = found.starts_at.astimezone(ctx.now.tzinfo), "ack"
    store(ctx, letter)
    return preview(ctx, letter)


def store(ctx: Context, letter: Letter) -> None:
    """Write what was changed; nothing that was approved holds for it any more."""
    letter.content_hash = ""
    ctx.session.add(letter)
    ctx.session.flush()
