"""The menu under the chat and the codes that people scan: what is set up at WeChat once, not per message."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.channels.wechat.api import Api
from notices.channel import HOME, SendError
from notices.wording import Wording

MENU_CREATE = "/cgi-bin/menu/create"
MENU_GET = "/cgi-bin/menu/get"
MENU_ADD = "/cgi-bin/menu/addconditional"
MENU_REMOVE = "/cgi-bin/menu/delconditional"
TAGS_GET = "/cgi-bin/tags/get"
QR_CREATE = "/cgi-bin/qrcode/create"

TOP_MAX, SUB_MAX = 3, 5  # entries
TOP_NAME_MAX, SUB_NAME_MAX, ACTION_MAX = 16, 60, 128  # bytes
NO_MENU = "errcode_46003"  # there is none yet
SECRETARY_TAG = "书记"  # the tag of the account's followers who are secretaries
SCENE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
SCENE_LASTS_MAX = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu: the name of its wording, and either its action or the lines under it."""

    name: str
    action: str = ""
    under: tuple[Entry, ...] = ()


ATTEND = Entry(
    "menu_attend",
    under=(
        Entry("menu_check_in", "check_in"),
        Entry("menu_activities", "activities"),
        Entry("menu_remote", "remote"),
    ),
)
POINTS = Entry(
    "menu_points",
    under=(
        Entry("menu_balance", "points"),
        Entry("menu_rewards", "rewards"),
        Entry("menu_wishes", "wishes"),
        Entry("menu_index", "index"),
        Entry("menu_board", "board"),
    ),
)
MORE = Entry(
    "menu_more",
    under=(Entry("menu_letters", "letters"), Entry("menu_me", "me"), Entry("menu_home", HOME)),
)
BRANCH = Entry(
    "menu_branch",
    under=(
        Entry("menu_broadcast", "broadcast"),
        Entry("menu_receipts", "receipts"),
        Entry("menu_warnings", "warnings"),
        Entry("menu_letters", "letters"),
        Entry("menu_home", HOME),
    ),
)
EVERYBODY = (ATTEND, POINTS, MORE)
SECRETARIES = (ATTEND, POINTS, BRANCH)


async def create_menu(
    api: Api,
    say: Wording,
    *,
    everybody: Sequence[Entry] = EVERYBODY,
    secretaries: Sequence[Entry] = SECRETARIES,
    secretary_tag: str = SECRETARY_TAG,
) -> bool:
    """Set the menu for everybody, and another for followers with the tag; False when there is no such tag.

    May be repeated: menus for tags that stood before go once the new one stands. Phones show it minutes later.
    Raises SendError, ValueError for a menu that WeChat would refuse.
    """
    shown = menu(everybody, say)
    shown_to_secretaries = menu(secretaries, say)
    old = await _conditional_menus(api)
    await api.post(MENU_CREATE, {"button": shown})  # first: without it there can be no other
    tag_id = await _tag_id(api, secretary_tag)
    if tag_id is not None:
        rule = {"tag_id": str(tag_id)}
        await api.post(MENU_ADD, {"button": shown_to_secretaries, "matchrule": rule})
    for menu_id in old:
        await api.post(MENU_REMOVE, {"menuid": menu_id})
    return tag_id is not None


def menu(entries: Sequence[Entry], say: Wording) -> list[dict[str, Any]]:
    """The menu in WeChat's form. Raises ValueError for one that WeChat would refuse."""
    if not 1 <= len(entries) <= TOP_MAX:
        raise ValueError(f"a menu has 1 to {TOP_MAX} entries")
    return [_button(entry, say, TOP_NAME_MAX) for entry in entries]


def _button(entry: Entry, say: Wording, name_max: int) -> dict[str, Any]:
    name = say(f"wechat.{entry.name}")
    if not 0 < len(name.encode()) <= name_max:
        raise ValueError(f"the menu entry {entry.name} has more than {name_max} bytes")
    if entry.under:
        if len(entry.under) > SUB_MAX or name_max == SUB_NAME_MAX:
            raise ValueError(f"{SUB_MAX} lines under {entry.name} are the most, and none under those")
        return {"name": name, "sub_button": [_button(under, say, SUB_NAME_MAX) for under in entry.under]}
    if not 0 < len(entry.action.encode()) <= ACTION_MAX:
        raise ValueError(f"the action of the menu entry {entry.name} must have 1 to {ACTION_MAX} bytes")
    return {"type": "click", "name": name, "key": entry.action}


async def _conditional_menus(api: Api) -> list[str]:
    """The ids of the menus for tags that stand now."""
    try:
        answer = await api.get(MENU_GET)
    except SendError as error:
        if error.reason == NO_MENU:
            return []
        raise
    found = answer.get("conditionalmenu")
    menus = found if isinstance(found, list) else []
    return [str(one["menuid"]) for one in menus if isinstance(one, dict) and "menuid" in one]


async def _tag_id(api: Api, name: str) -> int | None:
    """The id of the followers' tag with this name, or None."""
    found = (await api.get(TAGS_GET)).get("tags")
    for tag in found if isinstance(found, list) else []:
        if isinstance(tag, dict) and tag.get("name") == name and isinstance(tag.get("id"), int):
            return int(tag["id"])
    return None


@dataclass(frozen=True, slots=True)
class SceneCode:
    """A temporary code at WeChat. `url` is what the QR picture says; its scan opens the account with the scene."""

    url: str
    ticket: str
    expires_at: datetime


async def scene_code(api: Api, scene: str, *, lasts: timedelta, clock: Callable[[], datetime]) -> SceneCode:
    """A code whose scan comes in with `scene`: as a scan from a follower, as a follow from everybody else.

    Raises SendError, ValueError for a scene that is not 1..64 of A-Z a-z 0-9 _ - or a time of over 30 days.
    """
    if not SCENE.fullmatch(scene):
        raise ValueError("a scene has 1 to 64 letters, digits, _ and -")
    if not timedelta(seconds=60) <= lasts <= SCENE_LASTS_MAX:
        raise ValueError("a scene code lasts a minute to 30 days")
    seconds = int(lasts.total_seconds())
    answer = await api.post(
        QR_CREATE,
        {
            "expire_seconds": seconds,
            "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": scene}},
        },
    )
    url, ticket = answer.get("url"), answer.get("ticket")
    if not isinstance(url, str) or not isinstance(ticket, str) or not url:
        raise SendError("retry", "nonsense")
    return SceneCode(url, ticket, clock() + timedelta(seconds=seconds))
