"""The robots of chat groups: how each takes a message, in its markup, within its limits, signed as it wants it.

Their documents: developer.work.weixin.qq.com path 91770, open.dingtalk.com custom robots, open.feishu.cn custom bots.
What a user wrote is put into lookalikes of everything that means something to any of them: none of them documents an
escape that holds for all its markup.
"""

import base64
import hmac
import json
import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from service.workflow.channels import Target
from service.workflow.delivery import Message
from service.workflow.messages import Document, Fact
from service.workflow.states import ChannelKind

MOST_BYTES: dict[str, int] = {ChannelKind.WECOM: 4096, ChannelKind.DINGTALK: 20_000, ChannelKind.FEISHU: 20_000}
"""Of WeCom's the Markdown, of the others the whole body. Feishu documents 20 KB for custom bots, 30 KB for cards."""

_LOOKALIKES = str.maketrans(
    {
        "<": "＜", ">": "＞", "[": "［", "]": "］", "(": "（", ")": "）", "{": "｛", "}": "｝", "*": "＊", "`": "｀",
        "~": "～", "\\": "＼", "&": "＆", "#": "＃", "@": "＠", "|": "｜", "!": "！", "$": "＄",
    }
)  # fmt: skip

_LINKS = re.compile(r"://|www\.|mailto:", re.IGNORECASE)
_APART = str.maketrans({":": "：", ".": "．"})
"""What makes a link of an address, unasked, and what stands for it."""

_CONTENT = ("content-type", "application/json; charset=utf-8")


def plain(text: str) -> str:
    """One line that no robot takes for markup, an address or a call to somebody."""
    return bare(text).translate(_LOOKALIKES)


def bare(text: str) -> str:
    """One line without control characters, characters that turn the direction, and addresses that become links."""
    spaced = " ".join(text.split())
    seen = "".join(each for each in spaced if unicodedata.category(each) not in ("Cc", "Cf", "Cs"))
    return _LINKS.sub(lambda found: found[0].translate(_APART), " ".join(seen.split()))


def request(kind: str, target: Target, document: Document, message_id: str, now: datetime) -> tuple[str, Message]:
    """The address and the request of one attempt. `message_id`, for robots that take one, is the same at every one."""
    assert target.url is not None
    url, body = target.url, _BODIES[kind](document, message_id)
    if kind == ChannelKind.DINGTALK and target.secret is not None:
        moment = int(now.timestamp() * 1000)
        sign = quote_plus(dingtalk_sign(target.secret, moment))
        url += f"{'&' if '?' in url else '?'}timestamp={moment}&sign={sign}"
    elif kind == ChannelKind.FEISHU and target.secret is not None:
        moment = int(now.timestamp())
        body = {"timestamp": str(moment), "sign": feishu_sign(target.secret, moment), **body}
    return url, Message((_CONTENT,), _json(body))


def dingtalk_sign(secret: str, milliseconds: int) -> str:
    signed = f"{milliseconds}\n{secret}".encode()
    return base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()


def feishu_sign(secret: str, seconds: int) -> str:
    """What is signed is nothing, with everything in the key: so Feishu wants it."""
    return base64.b64encode(hmac.digest(f"{seconds}\n{secret}".encode(), b"", "sha256")).decode()


# -- bodies

_SIGNATURE_ROOM = 200
"""Bytes of a body that its signature takes."""


def _wecom(document: Document, message_id: str) -> dict[str, Any]:
    def content(document: Document) -> str:
        lines = [f"### {plain(document.title)}", *(f"> {_fact(document, each)}" for each in document.facts)]
        for entry in document.entries:
            lines += ["", f"**{plain(entry.head)}**", *(f"> {_fact(document, each)}" for each in entry.facts)]
            lines += [f"[{document.words.open}]({entry.link})"] if entry.link else []
        return "\n".join([*lines, *(["", document.rest] if document.rest else [])])

    text = _fitting(document, content, lambda text: len(text.encode()), MOST_BYTES[ChannelKind.WECOM])
    return {"msgtype": "markdown", "markdown": {"content": text}}


def _dingtalk(document: Document, message_id: str) -> dict[str, Any]:
    def content(document: Document) -> str:
        # Two line breaks: one is none in DingTalk's Markdown.
        parts = [f"### {plain(document.title)}", *(f"> {_fact(document, each)}" for each in document.facts)]
        for entry in document.entries:
            parts += [f"**{plain(entry.head)}**", *(f"> {_fact(document, each)}" for each in entry.facts)]
            parts += [f"[{document.words.open}]({entry.link})"] if entry.link else []
        return "\n\n".join([*parts, *([document.rest] if document.rest else [])])

    def body(text: str) -> dict[str, Any]:
        said = {"title": plain(document.title), "text": text}
        return {"msgtype": "markdown", "msgUuid": message_id, "markdown": said, "at": {"isAtAll": False}}

    most = MOST_BYTES[ChannelKind.DINGTALK]
    return body(_fitting(document, content, lambda text: len(_json(body(text))), most))


def _feishu(document: Document, message_id: str) -> dict[str, Any]:
    def content(document: Document) -> list[str]:
        blocks = ["\n".join(_fact(document, each) for each in document.facts)] if document.facts else []
        for entry in document.entries:
            lines = [f"**{plain(entry.head)}**", *(_fact(document, each) for each in entry.facts)]
            lines += [f"[{document.words.open}]({entry.link})"] if entry.link else []
            blocks.append("\n".join(lines))
        return [*blocks, *([document.rest] if document.rest else [])]

    def body(blocks: list[str]) -> dict[str, Any]:
        elements = [{"tag": "div", "text": {"tag": "lark_md", "content": each}} for each in blocks]
        header = {"title": {"tag": "plain_text", "content": plain(document.title)}, "template": "orange"}
        card = {"config": {"wide_screen_mode": True}, "header": header, "elements": elements}
        return {"msg_type": "interactive", "card": card}

    def size(text: str) -> int:
        return len(_json(body(text.split(_BETWEEN)))) + _SIGNATURE_ROOM

    text = _fitting(document, lambda each: _BETWEEN.join(content(each)), size, MOST_BYTES[ChannelKind.FEISHU])
    return body(text.split(_BETWEEN))


_BETWEEN = "\x1f"
"""Stands in no text: `bare` leaves out control characters."""

_BODIES: dict[str, Callable[[Document, str], dict[str, Any]]] = {
    ChannelKind.WECOM: _wecom, ChannelKind.DINGTALK: _dingtalk, ChannelKind.FEISHU: _feishu,
}  # fmt: skip


def _fact(document: Document, fact: Fact) -> str:
    name, value = fact
    return f"{name}{document.words.colon}{plain(value)}" if name else plain(value)


def _fitting(document: Document, content: Callable[[Document], str], size: Callable[[str], int], most: int) -> str:
    """As many items as fit; where not even none does, as many characters."""
    while size(content(document)) > most and document.entries:
        document = document.without_last()
    text = content(document)
    fits, too_long = 0, len(text) + 1
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        fits, too_long = (middle, too_long) if size(text[:middle]) <= most else (fits, middle)
    return text[:fits]


def _json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
