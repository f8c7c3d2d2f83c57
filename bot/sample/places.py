"""Names of places and organisations of a city that does not exist. Lists of our own."""

from __future__ import annotations

CITY_NAME = "港城市委"
REGION_NAMES = ["沙洲湖", "东横河", "青石山", "双河", "南塘湖", "一号桥", "柳树港", "望江山"]
CITIES_FAR = ["柳州", "成都", "深圳", "西安", "武汉", "厦门", "长沙", "青岛", "昆明", "合肥"]
"""Where mobile members live."""

_TOWN_FIRST = "杨金锦凤鹤柳塘沙长德兴南双永福清石梅桐云竹松泗河白青望新乐横周港"
_TOWN_SECOND = "舍丰桥溪巷浦墩湾庙园埭浜泾墅荡林洲坊渡堰城山阳和"
_QUARTERS = [
    "梁丰",
    "南苑",
    "东兴",
    "向阳",
    "花园",
    "前进",
    "云盘",
    "西城",
    "万红",
    "北庄",
    "旺西",
    "泗港",
    "学前",
    "小河",
    "康乐",
    "胜利",
    "城北",
    "新塘",
    "文昌",
    "朝阳",
]
_VILLAGES = [
    "沙洲",
    "南桥",
    "徐湾",
    "勤丰",
    "新庄",
    "联义",
    "闸头",
    "河西",
    "庆余",
    "港口",
    "江湾",
    "永新",
    "山前",
    "双塘",
    "田庄",
    "福前",
    "建丰",
    "元和",
    "三兴",
    "杨桥",
]
_OFFICES = [
    "财政局",
    "教育局",
    "卫健委",
    "住建局",
    "交通局",
    "水务局",
    "民政局",
    "司法局",
    "人社局",
    "统计局",
    "档案馆",
    "图书馆",
    "税务局",
    "气象局",
    "信访局",
    "机关事务中心",
]
_COMPANIES = [
    "机械",
    "纺织",
    "电子",
    "物流",
    "包装",
    "食品",
    "建材",
    "新材料",
    "律师事务所",
    "会计师事务所",
    "社工服务中心",
    "商会",
]
_STATE_FIRMS = ["水务集团", "公交公司", "供电公司", "港务集团", "城投集团", "粮食集团", "旅游集团", "燃气公司"]
_NUMBERS = "一二三四五六七八九十"


def town(number: int) -> str:
    """The two characters of a town; all of the first 768 differ."""
    rows, columns = len(_TOWN_FIRST), len(_TOWN_SECOND)
    assert rows == 32
    assert columns == 24
    return _TOWN_FIRST[number % rows] + _TOWN_SECOND[(number // rows + 5 * number) % columns]


def committee(number: int, kind: str) -> str:
    """The committee's name. kind: town, organs or enterprise."""
    place = town(number)
    if kind == "organs":
        return "市级机关工委" if number < 8 else f"{place}机关工委"
    if kind == "enterprise":
        return "市属企业党工委" if number < 8 else f"{place}开发区党工委"
    return f"{place}街道党工委" if number % 4 == 0 else f"{place}镇党委"


def region(number: int) -> str:
    """The name of a region."""
    names = REGION_NAMES
    later = number // len(names)
    return f"{names[number % len(names)]}{f'第{later + 1}' if later else ''}区域"


def community(number: int) -> str:
    """The name of a community."""
    return f"{_QUARTERS[number % len(_QUARTERS)]}社区"


def grid_branch(community_name: str, number: int) -> str:
    """The name of a community's branch, counted from 0."""
    return f"{community_name}第{_NUMBERS[number % 10]}网格党支部"


def branch(field: str, committee_number: int, number: int) -> tuple[str, str]:
    """(name, where it meets) of a branch of any other field."""
    town_name = town(committee_number)
    index = committee_number * 7 + number
    if field == "admin_village":
        village = f"{_VILLAGES[index % len(_VILLAGES)]}村"
        return f"{village}党支部", f"{village}党群服务中心"
    if field == "gov_institution":
        office = _OFFICES[(committee_number * 5 + number) % len(_OFFICES)]
        prefix = "市" if committee_number < 8 else town_name
        return f"{prefix}{office}党支部", f"{prefix}{office}三楼会议室"
    if field == "soe":
        firm = _STATE_FIRMS[index % len(_STATE_FIRMS)]
        return f"{firm}第{_NUMBERS[index % 10]}党支部", f"{firm}党员之家"
    company = f"{town_name}{_COMPANIES[index % len(_COMPANIES)]}"
    return f"{company}党支部", f"{company}党建活动室"
