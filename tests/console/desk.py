"""Somebody before a browser without a script: signs in, reads pages, fills in forms and sends them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from tests.world import World

ORIGIN = "http://xiaohao.test"
Files = Sequence[tuple[str, bytes]]
"""Names and contents."""


@dataclass
class Form:
    """A form as it stands in a page, filled in as it came."""

    method: str
    action: str
    values: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    takes_files: bool = False

    @property
    def name(self) -> str:
        return self.action.rpartition("/")[2]


class Page(HTMLParser):
    """An answer, read as a browser would: its forms, its links, its words."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.answer = answer
        self.status = answer.status_code
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._select: str | None = None
        self._chosen = False
        self._textarea: str | None = None
        self._silent: str | None = None
        self.feed(answer.text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        name = given.get("name") or ""
        if tag == "a":
            self.links.append(given.get("href") or "")
        elif tag == "form":
            self._form = Form((given.get("method") or "get").lower(), given.get("action") or "")
            self._form.takes_files = given.get("enctype") == "multipart/form-data"
            self.forms.append(self._form)
        elif tag in ("script", "style"):
            self._silent = tag
        elif self._form is not None and tag in ("input", "select", "textarea"):
            self._form.names.add(name)
            if "required" in given:
                self._form.required.add(name)
            if tag == "select":
                self._select, self._chosen = name, False
                self._form.values.setdefault(name, []).append("")
            elif tag == "textarea":
                self._textarea = name
                self._form.values[name] = [""]
            elif given.get("type") == "file":
                assert self._form.takes_files and "multiple" in given
            elif given.get("type") != "checkbox" or "checked" in given:
                self._form.values.setdefault(name, []).append(given.get("value") or "")
        elif (
            tag == "option"
            and self._form is not None
            and self._select is not None
            and (
                # A browser sends the first where none is chosen.
                "selected" in given or not self._chosen
            )
        ):
            self._form.values[self._select][-1] = given.get("value") or ""
            self._chosen = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None
        elif tag in ("script", "style"):
            self._silent = None

    def handle_data(self, data: str) -> None:
        if self._silent is not None:
            self.inline.append(data)
        elif self._textarea is not None and self._form is not None:
            self._form.values[self._textarea][0] += data
        else:
            self.words.append(data)

    def form(self, name: str) -> Form:
        """The form whose action ends so."""
        found = [form for form in self.forms if form.name == name]
        assert found, (name, [form.action for form in self.forms])
        return found[0]

    @property
    def following(self) -> str | None:
        """Where the next page is."""
        return next((given["href"] for tag, given in self.tags if given.get("rel") == "next" and tag == "a"), None)

    @property
    def deeds(self) -> set[str]:
        """What can be done here: the names of the forms that are posted."""
        return {form.name for form in self.forms if form.method == "post"} - {"sign-out", "session"}

    @property
    def shut(self) -> dict[str, str]:
        """What cannot be done here."""
        return {given["data-shut"] or "": "" for tag, given in self.tags if "data-shut" in given}


class Desk:
    """A person's browser."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    @classmethod
    async def of(cls, world: World, key: str, **headers: str) -> "Desk":
        """Signed in with a key."""
        desk = cls(world.with_key(None, Origin=ORIGIN, **headers))
        answer = await desk.client.post("/console/session", data={"key": key})
        assert answer.status_code == 303, answer.text
        return desk

    async def read(self, path: str, **params: Any) -> Page:
        # An empty table of parameters would take those of the address away.
        return Page(await self.client.get(path, params=params or None))

    async def send(self, form: Form, files: Files = (), **given: str) -> Page:
        """Send a form as its page filled it in, but for what is given; follow where that leads.

        A form that takes files goes as browsers send it, also where none was chosen.
        """
        values = {**form.values, **{name.replace("__", "."): [value] for name, value in given.items()}}
        strange = set(values) - form.names
        assert not strange, f"the form has no {strange}"
        if form.takes_files:
            chosen = [("attachment_ids", (name, content)) for name, content in files or (("", b""),)]
            answer = await self.client.post(form.action, data=values, files=chosen)
        else:
            assert not files
            answer = await self.client.post(form.action, data=values)
        if answer.status_code == 303:
            answer = await self.client.get(answer.headers["location"])
        return Page(answer)

    async def do(self, path: str, deed: str, files: Files = (), **given: str) -> Page:
        """Open a page and do something there."""
        return await self.send((await self.read(path)).form(deed), files, **given)
