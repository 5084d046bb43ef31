"""Texts as clerks write them, put together from word lists, so that pairs of characters are spread as in real ledgers.

Two words are very frequent and never meet: each belongs to one category, and nothing else mentions them.
"""

from random import Random

COMMON, APART = "饮水", "道路"
"""Each stands in about a fifth of all items, no item has both."""

RARE = "钟乳石"
RARE_EVERY = 20_000

_CATEGORIES = (
    ("饮水安全", 22, ("{where}{n}户饮水困难，每天只供{m}小时", "{where}饮水管网漏损，{n}户水压不足",
                      "{where}集中供水点消毒设备停用{m}天", "{where}蓄水池没有盖板，饮水水质不达标")),
    ("农村道路", 22, ("{where}通组道路塌陷{m}处，影响{n}人出行", "{where}道路完工{m}个月即开裂破损",
                      "{where}道路临崖处缺护栏{n}米", "{where}至集镇道路{m}盏路灯不亮")),
    ("生活污水", 9, ("{where}污水处理站停运{m}天", "{where}污水管网建成未接户，涉及{n}户",
                     "{where}化粪池满溢{m}处，群众反映臭气扰民")),
    ("垃圾治理", 8, ("{where}{m}处垃圾池满溢未转运", "{where}沟边积存建筑垃圾约{n}立方米",
                     "{where}保洁员缺岗{m}人，公示名单与实际不符")),
    ("耕地保护", 6, ("{where}高标准农田机井{m}眼不能用", "{where}撂荒耕地{n}亩，台账填报不实")),
    ("住房安全", 6, ("{where}鉴定危房{m}户未落实改造", "{where}自建房擅自加层{m}处，未做安全鉴定")),
    ("养老服务", 5, ("{where}敬老院烟感报警器{m}处失效", "{where}互助养老点挂牌未运行，设备闲置")),
    ("社会救助", 5, ("{where}{m}户低保未动态调整", "{where}残疾人护理补贴漏发{n}人")),
    ("校园安全", 5, ("{where}中心小学校车超员{m}人", "{where}幼儿园食堂留样不足，缺票据{m}批次")),
    ("消防安全", 4, ("{where}沿街商铺住人与经营混用，{n}户", "{where}农贸市场电线私拉乱接{m}处")),
    ("防汛减灾", 4, ("{where}山塘溢洪道堵塞，下游{n}户受威胁", "{where}预警广播{m}处不响，转移名单未更新")),
    ("劳动保障", 4, ("{where}安置房项目拖欠{n}名农民工工资", "{where}工程项目未存工资保证金，涉及{n}人")),
)  # fmt: skip
_NAMES = [name for name, _, _ in _CATEGORIES]
_WEIGHTS = [weight for _, weight, _ in _CATEGORIES]
_TITLES = {name: titles for name, _, titles in _CATEGORIES}

_SEEN = (
    "现场核查发现，{n}户群众多次反映没有得到答复", "责任单位称经费没有落实，已搁置{m}个月", "报修登记本上{m}条没有回音",
    "管护协议已经过期，没有重新签订", "巡查记录连续{m}次没有提及", "施工单位撤场后无人接手",
    "涉及资金{n}万元，没有公示",
    "村民代表会议讨论过{m}次，没有结论", "镇里曾临时处置，不久又出现反弹", "雨后情况加重，存在安全隐患",
    "负责人更换后没有交接", "同类问题在邻村也有{m}处", "台账填写正常，与实际不符", "没有明确的完成时限和责任人",
)  # fmt: skip
_GOALS = ("问题彻底解决，群众认可", "设施正常运行，不再反弹", "隐患消除，责任到人", "手续齐全，资金足额到位")
_STEPS = (
    "{m}天内完成抢修", "明确管护责任人并公示", "委托第三方检测并公开结果", "落实经费{n}万元", "逐户入户核实",
    "每周报送一次进展", "约谈施工单位并限期返工", "建立巡查台账", "组织一次回头看", "更换老旧设备{m}套",
)  # fmt: skip
_LABELS = ("民生实事", "回头看", "重点督办", "巡察移交", "人居环境", "资金监管", "安全隐患", "信访积案")
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志文斌红"
_PLACES = "青石溪龙泉桥湾坪塘岭沙柳杨梅竹松云清白金银双太和永兴安宁长丰大小上下东西南北新古"


def place(number: int) -> str:
    """A name of two characters, the same for the same number."""
    length = len(_PLACES)
    return _PLACES[number * 7 % length] + _PLACES[(number // length * 11 + number) % length]


def person(chance: Random) -> str:
    name = chance.choice(_SURNAMES) + chance.choice(_GIVEN)
    return name + chance.choice(_GIVEN) if chance.random() < 0.6 else name


def problem(chance: Random, where: str, number: int) -> dict[str, str]:
    """Title, description, category, goal and measures of one problem."""
    category = chance.choices(_NAMES, _WEIGHTS)[0]
    n, m = chance.randint(3, 480), chance.randint(2, 26)
    seen = [clause.format(n=n, m=m) for clause in chance.sample(_SEEN, chance.randint(2, 4))]
    if number % RARE_EVERY == RARE_EVERY // 2:
        seen.append(f"附近溶洞的{RARE}遭到损坏")
    return {
        "title": chance.choice(_TITLES[category]).format(where=where, n=n, m=m),
        "description": "，".join(seen) + "。",
        "category": category,
        "goal": chance.choice(_GOALS),
        "measures": "；".join(chance.sample(_STEPS, 2)).format(n=n, m=m),
    }


def labels(chance: Random) -> tuple[str, ...]:
    return tuple(chance.sample(_LABELS, chance.randint(1, 2))) if chance.random() < 0.3 else ()
