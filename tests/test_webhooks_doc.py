"""The receivers of docs/webhooks.md run as they stand, and take what the service signs and nothing else.

The Go one runs where Go is installed; elsewhere it is only looked at.
"""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.actions.deliveries import KEPT
from service.api.webhook_document import SOURCE, examples
from service.workflow import delivery
from service.workflow.delivery import WAITS, Format, Message, message
from service.workflow.webhooks import OLD_SECRETS, PAUSED_AT
from tests.documents import ROOT, fenced
from tests.servers import PORTS_TRIED, free_port

PAGE = "docs/webhooks.md"
SECRET, OTHER = delivery.secret(bytes(range(32))), delivery.secret(bytes(32))
LANGUAGES = {"python": "receiver.py", "js": "receiver.mjs", "go": "receiver.go"}
TAKEN, REFUSED = 204, 400


def command(language: str, program: Path) -> list[str]:
    """What runs a receiver; skips, saying why, where nothing here can."""
    if language == "python":
        return [sys.executable, str(program)]
    tool = {"js": "node", "go": "go"}[language]
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"no {tool} to run the receiver of {PAGE} with")
    if language == "js":
        return [found, str(program)]
    go = {**os.environ, "GOCACHE": str(program.parent / "cache"), "GO111MODULE": "off", "GOFLAGS": ""}
    binary = program.with_suffix("")
    for step in (["vet", program.name], ["build", "-o", str(binary), program.name]):
        done = subprocess.run([found, *step], cwd=program.parent, env=go, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0 and not done.stderr, done.stderr
    return [str(binary)]


@dataclass
class Receiver:
    process: "subprocess.Popen[bytes]"
    port: int
    printed: Path

    @property
    def lines(self) -> list[str]:
        return self.printed.read_text().splitlines()

    def takes(self, sent: Message, **headers: str | None) -> int:
        """The status with which it answers; `headers` replace some, or take them away."""
        given = {**dict(sent.headers), **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            kept = {name: value for name, value in given.items() if value is not None}
            connection.request("POST", "/xiaohao", sent.body, kept)
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture(scope="module", params=LANGUAGES)
def receiver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    home = tmp_path_factory.mktemp("receiver")
    (block,) = fenced(PAGE, request.param)
    program = home / LANGUAGES[request.param]
    program.write_text(block)
    running = started(command(request.param, program), home)
    try:
        yield running
        assert running.process.poll() is None, (home / "complaints").read_text()
    finally:
        running.process.kill()
        running.process.wait()


def started(command: list[str], home: Path) -> Receiver:
    printed, complaints = home / "printed", home / "complaints"
    for _ in range(PORTS_TRIED):
        port = free_port()
        environment = {"PATH": os.environ["PATH"], "PORT": str(port), "WEBHOOK_SECRET": SECRET}
        with printed.open("wb") as output, complaints.open("wb") as errors:
            process = subprocess.Popen(command, cwd=home, env=environment, stdout=output, stderr=errors)
        made = Receiver(process, port, printed)
        if listens(made):
            return made
        process.kill()
        process.wait()
        if "address already in use" not in complaints.read_text().lower():  # somebody took the port: another one
            break
    raise AssertionError(f"it does not listen: {complaints.read_text()}")


def listens(receiver: Receiver) -> bool:
    ends = time.monotonic() + 30
    while receiver.process.poll() is None and time.monotonic() < ends:
        # Whoever else took the port knows nothing of the secret.
        with suppress(OSError, http.client.HTTPException):
            if receiver.takes(signed(event())) == TAKEN:
                return True
        time.sleep(0.05)
    return False


def event() -> dict[str, Any]:
    """An event as the service wrote it, under an id that nobody has seen."""
    written: dict[str, Any] = examples()["item.closed"]
    return {**written, "id": str(uuid.uuid4())}


def signed(told: dict[str, Any], *secrets: str, ago: int = 0, **given: Any) -> Message:
    """A delivery as it is sent `ago` seconds before now."""
    now = datetime.now(UTC) - timedelta(seconds=ago)
    return message(told, secrets or (SECRET,), now, **{"format": Format.STANDARD, "source": SOURCE, **given})


def line(told: dict[str, Any], prefix: str = "") -> str:
    return f"{prefix}{told['type']} {told['item_id']}"


# -- what they take


def test_a_delivery_is_taken_and_done_once_however_often_it_comes(receiver: Receiver) -> None:
    told, before = event(), receiver.lines
    for sent in (signed(told, ago=5), signed(told), signed(told, replay=True)):
        assert receiver.takes(sent) == TAKEN
    assert receiver.lines == [*before, line(told)]


def test_another_event_is_another(receiver: Receiver) -> None:
    before = receiver.lines
    for told in (first := event(), second := event()):
        assert receiver.takes(signed(told)) == TAKEN
    assert receiver.lines == [*before, line(first), line(second)]


@pytest.mark.parametrize("type_", ["item.created", "webhook.ping", "ledger.updated", "log.checkpoint"])
def test_events_of_every_kind_are_taken(receiver: Receiver, type_: str) -> None:
    assert receiver.takes(signed({**examples()[type_], "id": str(uuid.uuid4())})) == TAKEN


@pytest.mark.parametrize("secrets", [(OTHER, SECRET), (SECRET, OTHER)], ids=["the old one", "the new one"])
def test_one_of_two_signatures_is_enough_while_the_secret_is_replaced(
    receiver: Receiver, secrets: tuple[str, str]
) -> None:
    told, before = event(), receiver.lines
    sent = signed(told, *secrets)
    assert len(dict(sent.headers)["webhook-signature"].split(" ")) == 2
    assert receiver.takes(sent) == TAKEN
    assert receiver.lines == [*before, line(told)]


def test_a_cloudevent_is_taken_by_the_same_signature(receiver: Receiver) -> None:
    told, before = event(), receiver.lines
    assert receiver.takes(signed(told, format=Format.CLOUDEVENTS)) == TAKEN
    assert receiver.lines == [*before, line(told, "cn.xiaohao.")]


# -- what they refuse


def changed(sent: Message) -> Message:
    body = sent.body.replace(b'"closed"', b'"open"')
    assert body != sent.body
    return Message(sent.headers, body)


REFUSALS: dict[str, Callable[[], Message]] = {
    "a changed body": lambda: changed(signed(event())),
    "another secret": lambda: signed(event(), OTHER),
    "a timestamp of six minutes ago": lambda: signed(event(), ago=360),
    "a timestamp six minutes from now": lambda: signed(event(), ago=-360),
}
"""Each is signed when it is sent: a run takes longer than these minutes."""


@pytest.mark.parametrize("why", REFUSALS)
def test_what_nobody_signed_so_or_not_now_is_refused(receiver: Receiver, why: str) -> None:
    before = receiver.lines
    assert receiver.takes(REFUSALS[why]()) == REFUSED
    assert receiver.lines == before


@pytest.mark.parametrize("name", ["webhook_id", "webhook_timestamp", "webhook_signature"])
@pytest.mark.parametrize("value", [None, "", "x", "v1,", "v1,AAAA", "v1", "1e400", "99999999999999999999", "v1,\xe9"])
def test_a_header_that_is_missing_or_makes_no_sense_is_refused(
    receiver: Receiver, name: str, value: str | None
) -> None:
    before = receiver.lines
    assert receiver.takes(signed(event()), **{name: value}) == REFUSED
    assert receiver.lines == before


def test_a_body_that_is_no_text_is_refused(receiver: Receiver) -> None:
    assert receiver.takes(Message(signed(event()).headers, b"\xff\xfe")) == REFUSED


def test_a_request_that_breaks_off_does_no_harm(receiver: Receiver) -> None:
    with socket.create_connection(("127.0.0.1", receiver.port)) as half:
        half.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    told, before = event(), receiver.lines
    assert receiver.takes(signed(told)) == TAKEN
    assert receiver.lines == [*before, line(told)]


# -- what else the page says


def test_the_go_receiver_looks_as_gofmt_leaves_it() -> None:
    (block,) = fenced(PAGE, "go")
    assert block.startswith("package main\n") and "func main() {" in block
    assert block.count("{") == block.count("}") and block.count("(") == block.count(")")
    depth = 0
    for each in block.splitlines():
        assert each == each.rstrip() and len(each) - len(each.lstrip("\t")) == len(each) - len(each.lstrip())
        depth -= each.lstrip("\t")[:1] in ("}", ")")
        assert not each or len(each) - len(each.lstrip("\t")) == depth, each
        depth += each[-1:] in ("{", "(")
    assert depth == 0


def test_the_numbers_are_those_of_the_code() -> None:
    units = {timedelta(hours=1): "h", timedelta(minutes=1): "min", timedelta(seconds=1): "s"}
    waits = []
    for wait in WAITS:
        unit = next(unit for unit in units if wait % unit == timedelta())
        waits.append(f"{wait // unit} {units[unit]}")
    text = (ROOT / PAGE).read_text()
    assert inline("waits", text) == ", ".join(waits)
    assert inline("paused", text) == str(PAUSED_AT)
    assert inline("old", text) == str(OLD_SECRETS)
    assert inline("kept", text) == str(KEPT.days)


def inline(marker: str, text: str) -> str:
    (found,) = re.findall(rf"<!-- {marker} -->(.*?)<!-- /{marker} -->", text)
    return str(found)


@pytest.mark.parametrize("block", fenced(PAGE, "sh"))
def test_the_bodies_of_its_calls_are_json(block: str) -> None:
    for body in re.findall(r"-d '(.*?)'", block, re.DOTALL):
        assert isinstance(json.loads(body), dict)
