"""What the service does on its own: the table of jobs. `bot.ticker` runs what is due.

A Task has instants on the calendar, each with a row of its own (`db.occurrences`), so that several processes,
restarts and outages neither double nor lose one. A Poll looks after rows that know by themselves when they are
due; it may run at any time and any number of times.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import activity_drafts, cards, dated_facts, gone, group_calls, inbound, leftovers, occurrences, sheets, web
from notices import (
    appeals,
    appraisals,
    birthdays,
    card_reports,
    closing,
    declaration_days,
    declarations,
    dues,
    duties,
    group_posts,
    holds,
    inspections,
    letter_deadlines,
    letter_reports,
    letter_series,
    letter_stops,
    pool,
    presence,
    reminders,
    schedule,
    standards,
    surveys,
    topics,
    warnings,
    year_close,
)
from notices.schedule import Moment, Poll, Task
from scoring import observing, update

INBOUND_KEPT = timedelta(days=7)  # platforms deliver again within a day
WEB_LINES_KEPT = timedelta(days=30)  # as the privacy note says
REMINDERS_KEPT = timedelta(days=30)
NOTES_KEPT = timedelta(days=400)  # their keys are what keeps the same from being told again
OCCURRENCES_KEPT = timedelta(days=400)
SHEETS_KEPT = timedelta(days=1)  # files and rows of departments that nobody confirmed
CARD_WORDS_KEPT = timedelta(days=30)  # what WeChat said of cards
VERDICTS_KEPT = timedelta(days=30)
WARNING_EVENTS_KEPT = timedelta(days=400)  # who heard of a colour and when; the warning itself stays
INSPECTION_DRAFTS_KEPT = timedelta(days=30)
CALL_ANSWERS_KEPT = timedelta(days=90)  # who answered a call in a group; how many did stays
DATES_KEPT = timedelta(days=400)  # of people, after they are done or dropped; the audit log stays
CODES_KEPT = timedelta(days=60)  # of check-in; late records end after 30


def _letter_of(topic_id: str) -> Callable[[Session, Moment], object]:
    def write(session: Session, moment: Moment) -> object:
        return topics.write_letter(session, topic_id, moment.scheduled_for, moment.now, moment.zone)

    return write


def _greet(session: Session, moment: Moment) -> object:
    day = moment.scheduled_for.astimezone(moment.zone).date()
    return birthdays.greet(session, day, moment.now)


def _begin(session: Session, moment: Moment) -> object:
    """Only the row counts: a poll does the work of the day in parts."""
    return None


def _nothing(session: Session, moment: Moment) -> object:
    return None


def _refresh(session: Session, moment: Moment) -> schedule.Run:
    """The indices of today."""
    ready = update.prepare(session, moment.now.astimezone(moment.zone).date(), zone=moment.zone, beside=True)
    return lambda writing, _moment: update.store(writing, ready)


def _close_day(session: Session, moment: Moment) -> schedule.Run:
    """The last figures of the day before; only soon after midnight, for the totals go on."""
    today = moment.now.astimezone(moment.zone).date()
    if moment.scheduled_for.astimezone(moment.zone).date() != today:
        return _nothing
    ready = update.prepare(session, today - timedelta(days=1), zone=moment.zone, beside=True)
    return lambda writing, _moment: update.store(writing, ready)


def _remind_of_economy(session: Session, moment: Moment) -> object:
    now, zone = moment.now, moment.zone
    return (
        holds.remind_of_pick_ups(session, now, zone=zone)
        + holds.remind_claimers(session, now, zone=zone)
        + holds.chase_stale_wishes(session, now, zone=zone)
        + appeals.remind_deciders(session, now, zone)
    )


def _clear_away(session: Session, moment: Moment) -> object:
    now = moment.now
    return (
        inbound.forget(session, now - INBOUND_KEPT)
        + occurrences.forget_reminders(session, now - REMINDERS_KEPT, notes_before=now - NOTES_KEPT)
        + occurrences.forget(session, now - OCCURRENCES_KEPT)
        + web.forget(session, now - WEB_LINES_KEPT)
        + cards.forget(session, now - CARD_WORDS_KEPT)
        + sheets.forget(session, now - SHEETS_KEPT, now - VERDICTS_KEPT)
        + leftovers.forget_warning_events(session, now - WARNING_EVENTS_KEPT)
        + leftovers.forget_inspection_drafts(session, now - INSPECTION_DRAFTS_KEPT)
        + group_calls.forget(session, now - CALL_ANSWERS_KEPT)
        + dated_facts.forget(session, now - DATES_KEPT)
        + activity_drafts.retire_codes(session, now - CODES_KEPT)
    )


def _close(session: Session, now: datetime, zone: ZoneInfo) -> int:
    closed = closing.close_ended(session, now, zone)
    if closed:  # what was held may end a warning: its secretary hears of it now, not tomorrow
        warnings.check_warnings(session, now, zone, sorted({one.organization_id for one in closed}))
    return len(closed)


JOBS: tuple[Task | Poll, ...] = (
    *(Task(f"topic:{one.id}", one.cron, _letter_of(one.id), "once") for one in topics.COLUMNS),
    Task("birthdays", "30 8 * * *", _greet, "all", grace=birthdays.KEPT_FOR),
    Task(observing.TASK, "40 23 1-14 * *", _begin, "once"),  # the last time before the lock in the night
    Task("appraisal_propose", "0 9 1 12 *", appraisals.propose, "once"),
    Task(warnings.TASK, "0 9 * * *", _begin, "once"),
    Task(pool.TASK, "10 9 * * *", _begin, "once"),
    Task(declarations.TASK, "40 6 1,4 * *", _begin, "once"),  # to secretaries: what is due, what is missing
    Task(declaration_days.TASK, "45 6 5,6,8,10,11,15 * *", _begin, "once"),  # to reviewers and the district
    Task(dues.TASK, dues.cron(), _begin, "once"),
    Task(duties.TASK, "30 6 * * *", _begin, "once"),  # before the digests of the morning
    Task("appeals_undecided", "20 9 * * *", inspections.remind_deciders, "all"),  # each day has appeals of its own
    Task("group_topics", group_posts.CRON, group_posts.mark_topics, "skip"),  # yesterday's topic is none any more
    Task("economy_reminders", "50 6 * * *", _remind_of_economy, "once"),
    Task("index_day_end", "1 0 * * *", _nothing, "once", prepare=_close_day),
    Task("index_refresh", "5 * * * *", _nothing, "once", prepare=_refresh),
    Task("index_year_end", "35 * * 1-6 *", _nothing, "once", prepare=year_close.prepare_figures),
    Task("clear_away", "20 3 * * *", _clear_away, "once"),
    Poll("gone_suppressed", timedelta(seconds=30), lambda session, now, zone: gone.take_back(session, now)),
    Poll("presence", timedelta(seconds=15), lambda session, now, zone: presence.ask_due(session, now)),
    Poll("reminders_planned", timedelta(minutes=1), reminders.plan_activities),
    Poll("reminders", timedelta(minutes=1), reminders.tell_due),
    Poll("observed_recorded", timedelta(minutes=1), observing.record_next),
    Poll("warnings_checked", timedelta(minutes=1), warnings.check_next),
    Poll("pool_published", timedelta(minutes=1), pool.check_next),
    Poll("declarations_reminded", timedelta(minutes=1), declarations.remind_next),
    Poll("declarations_waiting_told", timedelta(minutes=1), declaration_days.tell_reviewers_next),
    Poll("declaration_days", timedelta(minutes=5), declaration_days.keep_the_days),
    Poll("duties_reminded", timedelta(minutes=1), duties.remind_next),
    Poll("dues_reminded", timedelta(minutes=1), dues.remind_next),
    Poll("dues_reminders_booked", timedelta(minutes=5), dues.book_arrived),
    Poll("letter_deadlines", timedelta(seconds=15), letter_deadlines.keep_next),
    Poll("surveys_closed", timedelta(minutes=1), surveys.close_due),
    Poll("letters_repeated", timedelta(minutes=1), letter_series.send_next),
    Poll("closing", timedelta(minutes=1), _close),
    Poll("group_topics_posted", timedelta(seconds=15), group_posts.post_topics),
    Poll("group_calls_closed", timedelta(minutes=1), group_posts.close_calls),
    Poll("group_weeks_told", timedelta(minutes=1), group_posts.tell_weeks),
    Poll("letters_taken_back", timedelta(seconds=15), letter_stops.take_back_next),
    Poll("letters_given_back", timedelta(minutes=1), letter_stops.give_back_overdue),
    Poll("cards_reported", timedelta(seconds=15), card_reports.settle_next),
    Poll("letters_counted", timedelta(seconds=15), letter_reports.count_next),
    Poll("rectifications_due", timedelta(minutes=10), inspections.remind),
    Poll("inspections_ready", timedelta(minutes=10), inspections.tell_ready),
    Poll("appraisals_opened", timedelta(minutes=1), appraisals.open_next),
    Poll("appraisals_told", timedelta(minutes=1), appraisals.tell_next),
    Poll("appraisals_closed", timedelta(minutes=1), appraisals.close_due),
    Poll("standards_due", timedelta(hours=1), standards.remind_due),
    Poll("year_stars_told", timedelta(minutes=1), year_close.tell_next),
    Poll("year_frozen", timedelta(seconds=15), year_close.freeze_next),
    Poll(
        "redemptions_expired",
        timedelta(hours=1),
        lambda session, now, zone: holds.expire_redemptions(session, now, zone=zone),
    ),
    Poll(
        "claims_released",
        timedelta(hours=1),
        lambda session, now, zone: holds.release_idle_claims(session, now),
    ),
)
"""Every job: what, when, and what becomes of it after an outage. Names are stored: never renamed."""
