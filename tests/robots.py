"""Robots of chat groups on real ports of 127.0.0.1, each by its platform's own document, signature and limits included.

They verify with their own few lines, not with the service's, and answer as the platforms do: 200, and a code in JSON.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.outside.receiver import Receiver, receiving

TOKEN = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
PATHS = {
    "wecom": f"/cgi-bin/webhook/send?key={TOKEN}",
    "dingtalk": f"/robot/send?access_token={TOKEN}",
    "feishu": f"/open-apis/bot/v2/hook/{TOKEN}",
}
AN_HOUR = 3600


@dataclass
class Robot:
    """`said` is what the group has read, `asked` every request's body.

    `answers`, while there are any, come first: bytes as they are, a (status, body), or "nothing" for none at all.
    """

    kind: str
    secret: str | None = None
    keyword: str | None = None
    a_minute: int = 20
    url: str = ""
    said: list[Any] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    clock: Callable[[], float] = time.time

    @property
    def texts(self) -> list[str]:
        """What was read, without the JSON around it."""
        return [text_of(self.kind, body) for body in self.said]

    def answer(self, target: str, body: bytes) -> tuple[int, Any] | bytes | None:
        try:
            sent = json.loads(body)
        except ValueError:
            return 200, self._refusal("unreadable")
        self.asked.append(sent)
        scripted = self.answers.pop(0) if self.answers else None
        if scripted is not None:
            return None if scripted == "nothing" else scripted  # type: ignore[no-any-return]
        fault = self._fault(urlsplit(target), sent, body)
        if fault is not None:
            return 200, self._refusal(fault)
        self.said.append(sent)
        self.at.append(self.clock())
        return 200, self._taken()

    def _fault(self, target: Any, sent: Any, body: bytes) -> str | None:
        expected = urlsplit(PATHS[self.kind])
        query, wanted = parse_qs(target.query), parse_qs(expected.query)
        if target.path != expected.path or any(query.get(name) != value for name, value in wanted.items()):
            return "token"
        if self.secret is not None and not self._signed(query, sent):
            return "sign"
        if not self._well_formed(sent, body):
            return "format"
        if self.keyword is not None and self.keyword not in json.dumps(sent, ensure_ascii=False):
            return "keyword"
        if len([at for at in self.at if at > self.clock() - 60]) >= self.a_minute:
            return "fast"
        return None

    def _signed(self, query: dict[str, list[str]], sent: Any) -> bool:
        assert self.secret is not None
        if self.kind == "dingtalk":
            stamp, sign = query.get("timestamp", ["0"])[0], query.get("sign", [""])[0]
            seconds = int(stamp) / 1000
            mac = hmac.new(self.secret.encode(), f"{stamp}\n{self.secret}".encode(), hashlib.sha256)
        else:
            stamp, sign = sent.get("timestamp", "0"), sent.get("sign", "")
            seconds = int(stamp)
            mac = hmac.new(f"{stamp}\n{self.secret}".encode(), digestmod=hashlib.sha256)
        fresh = abs(self.clock() - seconds) < AN_HOUR
        return fresh and hmac.compare_digest(base64.b64encode(mac.digest()).decode(), sign)

    def _well_formed(self, sent: Any, body: bytes) -> bool:
        if self.kind == "wecom":
            content = sent.get("markdown", {}).get("content", "")
            return sent.get("msgtype") == "markdown" and 0 < len(content.encode()) <= 4096
        if self.kind == "dingtalk":
            said = sent.get("markdown", {})
            return (
                sent.get("msgtype") == "markdown"
                and bool(said.get("title") and said.get("text"))
                and (len(body) <= 20_000)
            )
        card = sent.get("card", {})
        return sent.get("msg_type") == "interactive" and bool(card.get("elements")) and len(body) <= 20 * 1024

    def _taken(self) -> Any:
        if self.kind == "feishu":
            return {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}
        return {"errcode": 0, "errmsg": "ok"}

    def _refusal(self, fault: str) -> Any:
        code, said = REFUSALS[self.kind][fault]
        return {"code": code, "msg": said, "data": {}} if self.kind == "feishu" else {"errcode": code, "errmsg": said}


REFUSALS: dict[str, dict[str, tuple[int, str]]] = {
    "wecom": {
        "token": (93000, "invalid webhook url, hint: [1772416800_1_0a1b], from ip: 127.0.0.1, more info at "
                         "https://open.work.weixin.qq.com/devtool/query?e=93000"),
        "format": (40058, "markdown.content exceed max length 4096. invalid Request Parameter"),
        "fast": (45009, "api freq out of limit"),
        "unreadable": (47001, "data format error"),
    },
    "dingtalk": {
        "token": (300005, "token is not exist"),
        "sign": (310000, "sign not match, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"),
        "keyword": (310000, "keywords not in content, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"),
        "format": (40035, "缺少参数 json"),
        "fast": (130101, "send too fast, exceed 20 times per minute"),
        "unreadable": (40035, "不合法的参数"),
    },
    "feishu": {
        "token": (19001, "param invalid: incoming webhook access token invalid"),
        "sign": (19021, "sign match fail or timestamp is not within one hour from current time"),
        "keyword": (19024, "Key Words Not Found"),
        "format": (9499, "Bad Request"),
        "fast": (11232, "frequency limited"),
        "unreadable": (9499, "Bad Request"),
    },
}  # fmt: skip


def text_of(kind: str, body: Any) -> str:
    if kind == "wecom":
        return str(body["markdown"]["content"])
    if kind == "dingtalk":
        return str(body["markdown"]["text"])
    card = body["card"]
    return "\n".join([card["header"]["title"]["content"], *(each["text"]["content"] for each in card["elements"])])


@asynccontextmanager
async def robot(kind: str, **given: Any) -> AsyncIterator[Robot]:
    made = Robot(kind, **given)

    async def answer(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        head, _, body = receiver.requests[-1].partition(b"\r\n\r\n")
        answered = made.answer(head.split(b" ")[1].decode(), body)
        if answered is None:
            return
        if isinstance(answered, bytes):
            writer.write(answered)
            await writer.drain()
            return writer.close()
        status, said = answered
        content = json.dumps(said, ensure_ascii=False).encode()
        more = b"Retry-After: 120\r\n" if status == 429 else b""
        head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n".encode()
        writer.write(head + more + b"\r\n" + content)
        await writer.drain()

    async with receiving(answer) as receiver:
        made.url = receiver.url.removesuffix("/hook") + PATHS[kind]
        yield made
