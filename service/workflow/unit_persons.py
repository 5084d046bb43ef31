"""Who stands beside a unit in its cell: 县水利局 张三, 县水利局（张三）, 县水利局：张三, 县水利局；责任人：张三."""

import re
from functools import lru_cache

from service.workflow.unit_cells import LONGEST_CELL

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔"
    "钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔汤"
)
_ENDINGS = "局办委府镇乡村道司会部院校所站队心区县市厅处科室团厂社园行店"
_NO_NAME = (
    "金融|高新|高速|高铁|林业|林草|林场|石油|石化|江南|江北|方案|任务|武警|武装|程序|任何|许可|马上|周边|田间|黄河|严格"
)
_PERSON = (
    rf"(?!{_NO_NAME})[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}"
    rf"(?<![{_ENDINGS}组股庄屯寨沟湾河坪岭山片段线])(?:\s*1[3-9]\d{{9}})?"
)
_PERSONS = rf"{_PERSON}(?:[、,，/\s]+{_PERSON})*"
_BESIDE = re.compile(
    rf"(?<=[{_ENDINGS}])(?:\s*[(（]\s*({_PERSONS})\s*[)）]|\s*[:：、,，/]\s*({_PERSONS})|\s+({_PERSONS}))(?=$|[\s、,，;；/])"
)
_LABELLED = re.compile(
    rf"(?<![\s、,，;；])[\s、,，;；]*[(（]?[^\s、,，;；:：()（）]{{0,8}}(?:人|领导|同志)[:：]\s*({_PERSONS})[)）]?(?=$|[\s、,，;；/])"
    rf"|[(（]\s*({_PERSONS})(?:负责|牵头|包保|包抓)[)）]"
)


@lru_cache(maxsize=2_000)
def parted(cell: str) -> tuple[str, tuple[str, ...]]:
    """The units of a cell, and the persons that stand behind them. A cell with nobody in it stays as it is."""
    if len(cell) > LONGEST_CELL:
        return cell, ()
    persons: list[str] = []

    def aside(match: re.Match[str]) -> str:
        persons.extend(re.split(r"[、,，/\s]+(?!1\d{10})", next(each for each in match.groups() if each)))
        return ""

    return _BESIDE.sub(aside, _LABELLED.sub(aside, cell)).strip(), tuple(dict.fromkeys(persons))
