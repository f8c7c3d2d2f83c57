"""The day as data: who says what, what the reply must hold, and who gets which letter because of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PNG = b"\x89PNG\r\n\x1a\n" + b"a pair of glasses"


@dataclass(frozen=True)
class Says:
    """A person says `text` ({bob} in it is Bob's bind code, {pickup} the code of the last reply that had one).

    letters: who gets a letter because of it, and words that stand in it. tells_deliveries: the reply counts what
    was surely sent, so a process that died while sending may make it say less.
    """

    who: str
    text: str
    expects: tuple[str, ...] = ()
    letters: Mapping[str, str] = field(default_factory=dict)
    picture: bytes | None = None
    tells_deliveries: bool = False


@dataclass(frozen=True)
class Comes:
    """Something that nobody says."""

    what: Literal["presence_is_asked", "presence_was_asked"]
    letters: Mapping[str, str] = field(default_factory=dict)


LETTER = "关于做好防汛值守的通知\n今晚起雨大，请值守的同志按时到岗。"
AUDIENCE = 7  # Olga has no chat
EVERYBODY = ("alice", "bob", "mo", "sun", "rui", "ke")

BIND = (
    Says("alice", "你好", ("绑定码",)),
    Says("alice", "绑定 {alice}", ("绑定成功", "艾丽丝", "梁丰社区党支部")),
    Says("bob", "绑定 0000-0000", ("这个绑定码不对", "还可以试 4 次")),
    Says("bob", "绑定 {alice}", ("这个绑定码不对", "还可以试 3 次")),  # used once already
    Says("bob", "绑定 {bob}", ("绑定成功", "鲍勃")),
    Says("mo", "绑定 {mo}", ("绑定成功",)),
    Says("sun", "绑定 {sun}", ("绑定成功",)),
    Says("rui", "绑定 {rui}", ("绑定成功",)),
    Says("ke", "绑定 {ke}", ("绑定成功",)),
)
REMOTE = (
    Says("mo", "远程", ("可以远程参加的活动", "主题党日")),
    Says("mo", "1", ("已进入", "您还在吗")),
    Comes("presence_is_asked"),
)
CHECK_IN = (
    Says("alice", "签到", ("现在可以签到的活动", "本支部", "+3 分")),
    Says("alice", "签到 8841", ("签到成功", "+2 分", "积分余额：23 分")),
    Says("bob", "签到 8841", ("签到成功", "+2 分", "积分余额：2 分")),
    Says("bob", "签到 8841", ("已经签到",)),
    Says("bob", "签到 7000", ("签到成功", "+3 分", "积分余额：5 分")),
    Says("bob", "1", ("已撤销签到", "积分余额：2 分")),
    Says("bob", "签到 9999", ("没有找到这个签到码",)),
    Says("alice", "积分", ("积分余额：23 分", "+2")),
)
REWARDS = (
    Says("alice", "兑换", ("23 分可用", "水杯", "剩 2", "围巾")),
    Says("alice", "1", ("用 20 分换 1 个水杯", "不影响先锋指数", "确认")),
    Says("alice", "1", ("已为您留好：水杯", "取货码")),
    Says("alice", "1", ("取货码",)),  # the picture of the code
    Says("ke", "核销 0000-0000", ("没有找到这个取货码",)),
    Says("ke", "核销 {pickup}", ("艾丽丝", "水杯", "请当面核对")),
    Says("ke", "1", ("已交付：水杯",)),
    Says("ke", "核销 {pickup}", ("已经用过", "请不要再交付")),
    Says("alice", "兑换", ("3 分可用", "剩 1")),
)
WISH = (
    Says("bob", "心愿", ("现在没有等人认领的心愿", "我要许心愿")),
    Says("bob", "1", ("请用一句话写您的心愿",)),
    Says("bob", "一副老花镜", ("在哪里",)),
    Says("bob", "1", ("大约要多少钱",)),
    Says("bob", "80元", ("请核对", "一副老花镜", "约 80 元")),
    Says("bob", "1", ("已提交：一副老花镜",)),
    Says("rui", "心愿审核", ("等您处理的心愿", "一副老花镜")),
    Says("rui", "1", ("许愿人：鲍勃", "发布")),
    Says("rui", "1", ("已发布：一副老花镜",), {"bob": "已公开，等人认领"}),
    Says("alice", "心愿", ("等人认领的心愿", "一副老花镜")),
    Says("alice", "1", ("48 小时", "15 天", "我来认领")),
    Says("alice", "1", ("已认领：一副老花镜", "孙书记"), {"bob": "有人认领了", "sun": "请帮许愿人和认领人接上"}),
    Says("alice", "心愿", ("我认领的",)),
    Says("alice", "2", ("您认领的心愿", "一副老花镜")),
    Says("alice", "1", ("正在办", "办好了")),
    Says("alice", "1", ("请发一张照片",)),
    Says("alice", "", ("已请许愿人确认",), {"bob": "对方说已经办好了"}, picture=PNG),
    Says("bob", "心愿", ("我许的心愿",)),
    Says("bob", "2", ("您许的心愿", "请您确认")),
    Says("bob", "1", ("艾丽丝", "已经办好")),
    Says("bob", "3", ("见照片", "已经办好")),
    Says("bob", "1", ("谢谢您的确认",), {"alice": "许愿人确认了“一副老花镜”"}),
    Says("alice", "积分", ("一副老花镜",)),
)
TOPICS = (
    Says("bob", "红信", ("您订了 2 个", "选主题")),
    Says("bob", "2", ("上级精神", "法律小常识")),
    Says("bob", "1", ("已退订“上级精神”",)),
    Says("bob", "1", ("已订“上级精神”",)),
    Says("bob", "红信", ("选主题",)),
    Says("bob", "2", ("法律小常识",)),
    Says("bob", "2", ("已退订“法律小常识”",)),
)
BROADCAST = (
    Says("sun", "发红信", ("发给谁", f"全体（{AUDIENCE} 人）", "流动党员（1 人）")),
    Says("sun", "1", ("哪个主题", "上级精神")),
    Says("sun", "1", ("请把内容发给我",)),
    Says("sun", LETTER, (f"将发给 {AUDIENCE} 人", "另有 1 人未绑定", f"请回复人数 {AUDIENCE}")),
    Says("sun", "99", ("没有发送", f"人数 {AUDIENCE}")),
    Says("sun", str(AUDIENCE), ("已开始发送：6 人", "未绑定 1 人"), dict.fromkeys(EVERYBODY, "防汛值守")),
    Says("alice", "收到", ("已记下", "防汛值守")),
    Says("bob", "收到", ("已记下", "防汛值守")),
    Says("bob", "收到", ("没有等您回复",)),
    Says("sun", "回执", ("送达 6", "已读 2", "收到 2", "未绑定 1"), tells_deliveries=True),
    Says("sun", "2", ("未读名单", "莫流动", "柯保管"), tells_deliveries=True),
)
PRESENCE = (
    Comes("presence_was_asked", {"mo": "在场确认"}),
    Says("mo", "我在", ("已确认您在场",)),
    Says("mo", "我在", ("已经确认过了",)),
)
EVENING = tuple(Says(name, "菜单", ("请回复数字",)) for name in EVERYBODY)

DAY: tuple[Says | Comes, ...] = (
    *BIND,
    *REMOTE,
    *CHECK_IN,
    *REWARDS,
    *WISH,
    *TOPICS,
    *PRESENCE,
    *BROADCAST,
    *EVENING,
)
