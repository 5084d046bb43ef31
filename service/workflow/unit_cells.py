"""A cell of a ledger that names units: its names in order, and which of them leads.

Names are parted by marks, by line breaks and by 以及 and 会同, never within brackets, unless these hold those who help.
What says what a unit does there (牵头单位：, （配合）, 由…牵头, 按职责分工负责) and what numbers it (1、, （二）, ③) is
no part of its name. 东城镇党委、政府 are two organs of one place.
"""

import re
from dataclasses import dataclass

from service.workflow.cell_words import blank

_LEADING, _HELPING = "牵头|主办|主责|首要|总牵头", "配合|协办|协助|协同|参与|参加|会办|支持"
_ACTING = f"{_LEADING}|{_HELPING}|责任|督办|负责|承办|实施|整改|落实|完成"
_WHO = "单位|部门|主体|方"

_PIECE = re.compile(r"(?:[(（][^()（）]*[)）]|[^、,，;；。/|\n\r])+")
_BESIDE = re.compile(r"(?:，|,)?(?:以及|并?会同)(?![^()（）]*[)）])")
_ENDING = "(?:[局委办厅府镇乡处部院站所会队校村]|街道|中心|公司|社区)"
_NAMES = rf"[^()（）、，,\s]+{_ENDING}(?:[、，,][^()（）、，,\s]+{_ENDING})*"
_HELPERS = re.compile(
    rf"[(（](?:(?:{_HELPING})(?:责任)?(?:单位|部门)?[:：]([^()（）]{{2,}})|会同({_NAMES})|({_NAMES})(?:配合|协办|协助|参与))[)）]"
)
"""县水利局（县住建局、县财政局配合）: those in the brackets take part."""

_ORGANS = "人民政府|政府|党委|党工委|(?:街道)?办事处|(?<=街道)办|管委会|管理委员会"
_ORGAN = re.compile(rf"(?P<of>镇|乡|街道)?(?P<organ>{_ORGANS})")
SEAT = re.compile(
    rf"(?P<seat>(?!.*(?:各|有关|相关|所有|全体)).+?(?:[镇乡县区市]|街道))(?P<organ>{_ORGANS})(?:[和及与]?(?:镇|乡|街道)?(?:{_ORGANS}))*"
)
"""A place and what governs it."""
_BEFORE = r"(?:^|(?<=[、,，;；。/|\s]))"
_COUNTERS = re.compile(
    # 1、 or 2. before a name; 01、02 are codes of units, and （1）班 is none of many.
    r"(?<![\d.\w(（])\d{1,2}(?:[、.．]|[)）])\s*(?=[^\W\d_])|(?<=[\u4e00-\u9fff)）])\d{1,2}[、.．]\s*(?=[\u4e00-\u9fff])"
    rf"|{_BEFORE}[(（](?:\d{{1,2}}|[一二三四五六七八九十]{{1,3}})[)）]|[(（]\d{{1,2}}[)）](?=[\u4e00-\u9fff]{{3}})"
    r"|[\u2460-\u249b\u2776-\u2793]",
    re.MULTILINE,
)
_IN_CHARACTERS = re.compile("[一二三四五六七八九十]{1,3}、")
_LABEL = re.compile(
    rf"^[^:：()（）]{{0,10}}?(?:{_ACTING}|{_WHO})(?:{_ACTING})?(?:{_WHO})?(?:[(（](?:{_ACTING})[)）])?[:：]"
)
_LABELS = re.compile(
    r"(?<!\s)\s+(?=[^\s:：]{2,9}[:：])"
    rf"|(?<=[局委办厅府镇乡会处部院站])(?=(?:整改)?(?:{_LEADING}|{_HELPING}|责任)(?:责任)?(?:{_WHO})[:：])"
)
_BRACKETED = re.compile(rf"[(（](?:{_ACTING})(?:责任)?(?:{_WHO})?(?:[)）]|$)")
_DOES = re.compile(
    r"等?(?:按照?|根据|依)?(?:各自)?(?:职责|职能|责任)(?:分工)?(?:分别|各自)?(?:负责|落实|配合)?$|分别(?:负责|落实)$|各负其责$"
    rf"|(?:{_LEADING}|{_HELPING}|负责|承办)(?:{_ACTING})*$"
)
_ENDS = " .:：。"

LONGEST_CELL = 2_000
"""Characters of a cell of units: what is longer is a text that slipped into it."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names in a cell, in order; `lead` is the one that is marked as leading, else the first that does not help."""

    names: tuple[str, ...]
    lead: int = 0


def split(cell: str) -> Names:
    """The names in a cell, each once. Blanks part names only where every part could be one; — and 无 are none."""
    leads: dict[str, bool | None] = {}
    label: bool | None = None
    for piece in _pieces(cell):
        told = _LABEL.match(piece)
        if told:
            label = _leads(told[0])
        for words in _words(piece[told.end() :] if told else piece):
            name, leading = _named(words)
            if leads and (organ := _ORGAN.fullmatch(name)):
                name = _of_the_same_place(organ, next(reversed(leads)))
            if name and not blank(name):
                leads.setdefault(name, label if leading is None else leading)
    marks = list(leads.values())
    first = next((at for wanted in (True, None) for at, mark in enumerate(marks) if mark is wanted), 0)
    return Names(tuple(leads), first)


def _pieces(cell: str) -> list[str]:
    text = _LABELS.sub("\n", _COUNTERS.sub("\n", _HELPERS.sub(_helpers, cell)))
    if text.startswith("一、") and "二、" in text:
        # 一、二镇 is no list: the next number tells.
        text = _IN_CHARACTERS.sub("\n", text)
    return [piece.strip() for piece in _PIECE.findall(_BESIDE.sub("\n", text))]


def _of_the_same_place(organ: re.Match[str], before: str) -> str:
    """东城镇党委、政府: what the second governs, the first says."""
    place = SEAT.fullmatch(before)
    if place is None or not place["seat"].endswith(organ["of"] or ""):
        return organ[0]
    return place["seat"] + organ["organ"]


def _helpers(match: re.Match[str]) -> str:
    # What follows the brackets is told anew.
    return f"\n配合单位：{match[1] or match[2] or match[3]}\n责任单位：\n"


def _words(piece: str) -> list[str]:
    words = piece.split()
    return words if len(words) > 1 and all(len(word) > 2 for word in words) else [" ".join(words)]


def _named(words: str) -> tuple[str, bool | None]:
    """A name without what it does, and whether that is leading (True), helping (False) or not said (None)."""
    bracketed = _BRACKETED.search(words)
    name = _BRACKETED.sub("", words).strip(_ENDS)
    does = _DOES.search(name)
    if does is None:
        return name, _leads(bracketed[0]) if bracketed else None
    return name[: does.start()].removeprefix("由").strip(_ENDS), _leads(does[0])


def _leads(said: str) -> bool | None:
    """牵头 leads, 配合 helps, 责任 says neither."""
    if re.search(_LEADING, said):
        return True
    return False if re.search(_HELPING, said) else None
