"""Names of people who do not exist, as each generation gave them. Lists of our own."""

from __future__ import annotations

from itertools import accumulate
from random import Random

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾郝龚邵万钱严覃武戴莫孔向汤"
)
_WEIGHTS = list(accumulate(1 / (rank + 4) for rank in range(len(_SURNAMES))))

# (born before, men: first and second character, women: first and second character)
_GENERATIONS = (
    (1950, ("德福金根兴炳荣桂永宝寿阿", "生根兴祥福林元泉发仁法良"), ("秀桂玉凤素金阿巧", "英兰珍芳华娥妹仙")),
    (1970, ("建国志卫红学新爱永文正", "国华民平东林明新忠良"), ("秀桂红玉丽美爱月", "英芳珍兰华琴萍娟")),
    (1982, ("建文永海春国伟立", "平斌峰林辉华明东"), ("丽红海春雪建晓秋", "华萍燕芳霞梅红琴")),
    (1992, ("海文俊志一天少家", "鹏飞杰亮波宇超斌"), ("雅文丽海佳晓美春", "燕婷敏琳娟静洁玲")),
    (9999, ("子浩宇嘉俊梓思一", "轩豪然宇辰涵阳博"), ("雨思佳欣梦子诗若", "涵怡琪婷萱然瑶妍")),
)
# What the lists above could spell by accident, and what belongs to somebody whom everybody knows.
_KNOWN = frozenset(
    [
        "黄海波",
        "陈国民",
        "李建国",
        "王建国",
        "陈建国",
        "张国华",
        "李文斌",
        "林志杰",
        "刘国平",
        "谢家华",
        "林俊杰",
        "杨子琪",
        "王一博",
    ]
)


def name(random: Random, *, woman: bool, born: int) -> str:
    """A surname and a given name as a man or a woman born in that year may have it."""
    men, women = next((men, women) for before, men, women in _GENERATIONS if born < before)
    firsts, seconds = women if woman else men
    while True:
        surname = random.choices(_SURNAMES, cum_weights=_WEIGHTS)[0]
        first, second = random.choice(firsts), random.choice(seconds)
        # A few younger people have a single character; twice the same one is a child's name.
        given = second if born >= 1970 and random.random() < 0.15 else first + second
        if surname + given not in _KNOWN and first != second and (len(given) > 1 or surname not in "王李张"):
            return surname + given
