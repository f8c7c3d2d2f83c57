"""The columns of the three sheets: their names in both languages, an example, and what may stand in them."""

from __future__ import annotations

from dataclasses import dataclass

from db.members import MODES, ROLES, STATUSES
from db.offices import OFFICES
from db.organizations import LEVELS
from scoring.catalogue import shipped


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `words` maps what people may write to what is stored; None: free text."""

    name: str
    chinese: str
    example: str
    needed: bool = False
    kind: str = "text"  # text, day, flag, number
    words: dict[str, str] | None = None


_LEVEL_WORDS = dict(zip(("市", "党工委", "党总支", "党支部", "党小组"), LEVELS, strict=True)) | {
    "党委": "committee"
}
_FIELD_WORDS = shipped().field_names.words  # ours, and the seven of other cities
_MODE_WORDS = dict(zip(("正常", "按比例", "免计"), MODES, strict=True))
_STATUS_WORDS = dict(zip(("在册", "出党", "转出", "去世", "失联"), STATUSES, strict=True))
_OFFICE_WORDS = dict(zip(("副书记", "组织委员", "宣传委员", "纪检委员", "党小组长"), OFFICES, strict=True))
ROLE_WORDS = _OFFICE_WORDS | dict(
    zip(("书记", "审核员", "部门", "礼品保管员", "运维", "组织部", "检查员"), ROLES, strict=True)
)
COMPANION_COLUMNS = {"sponsors": "sponsor", "contacts": "contact"}
"""Column of the members' sheet -> who accompanies the member; numbers on the roll, several with semicolons."""


def _both(words: dict[str, str]) -> dict[str, str]:
    return words | {stored: stored for stored in words.values()}


SHEETS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "organizations": (
        "组织",
        (
            Column("code", "编号", "B0001", needed=True),
            Column("name", "名称", "梁丰社区第二网格党支部", needed=True),
            Column("level", "级别", "党支部", needed=True, words=_both(_LEVEL_WORDS)),
            Column("field", "领域", "城市社区", words=_both(_FIELD_WORDS)),
            Column("parent", "上级编号", "K01"),
            Column("founded_on", "成立日期", "2019-03-01", kind="day"),
            Column("place", "活动地点", "梁丰社区党群服务中心"),
            Column("term_ends_on", "任期届满日期", "2027-06-30", kind="day"),
            Column("committee_members", "支委人数", "3", kind="number"),
        ),
    ),
    "regions": (
        "区域",
        (
            Column("code", "编号", "R01", needed=True),
            Column("name", "名称", "沙洲湖区域", needed=True),
            Column("organizations", "包含的组织编号", "B0001;B0002", needed=True),
        ),
    ),
    "members": (
        "党员",
        (
            Column("code", "编号", "M000001", needed=True),
            Column("name", "姓名", "赵建国", needed=True),
            Column("organization", "支部编号", "B0001", needed=True),
            Column("from_day", "转入日期", "2020-01-01", needed=True, kind="day"),
            Column("admitted_on", "入党日期", "1998-07-01", kind="day"),
            Column("status", "状态", "在册", words=_both(_STATUS_WORDS)),
            Column("probationary", "预备党员", "否", kind="flag"),
            Column("mobile", "流动党员", "否", kind="flag"),
            Column("city", "所在城市", ""),
            Column("phone", "手机", ""),
            Column("mode", "计分方式", "正常", words=_both(_MODE_WORDS)),
            Column("roles", "职责", "书记:B0001"),
            Column("away_since", "外出日期", "", kind="day"),
            Column("last_contact_on", "最近联系", "", kind="day"),
            Column("transfer_letter_until", "介绍信有效期", "", kind="day"),
            Column("transfer_to", "转往支部编号", ""),
            Column("sponsors", "入党介绍人", ""),
            Column("contacts", "流动党员联系人", ""),
        ),
    ),
}
"""Sheet -> its Chinese title and its columns. Roles and offices: 书记:B0001, several with semicolons."""

FLAGS = {"是": True, "否": False, "true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
