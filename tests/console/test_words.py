"""Words: every one that a page asks for is there, in both languages, and says what it says with the same facts."""

import re
import string
from pathlib import Path

import pytest

import service.console
from service.console import conduct, items, late
from service.console.board import HEAT
from service.console.forms import FORMS
from service.console.terms import TERMS
from service.console.texts import DONE, Speaker
from service.console.timeline import SAID
from service.console.words import FIELDS, WORDS
from service.workflow import ladder, states
from service.workflow.catalogue import EVENT_TYPES
from service.workflow.delivery import Format
from service.workflow.explain import StepKind
from service.workflow.webhooks import Disabled, Status

ROOM = Path(service.console.__file__).parent
TEMPLATES = {path.name: path.read_text() for path in (ROOM / "templates").glob("*.html")}
CODE = {path.name: path.read_text() for path in ROOM.glob("*.py")}
CHINESE = re.compile(r"[一-鿿]")

ENUMERATIONS = {
    "state": states.State,
    "trigger": states.Trigger,
    "resolution": states.Resolution,
    "severity": states.Severity,
    "source": states.SourceKind,
    "method": states.VerificationMethod,
    "deadline": states.DeadlineKind,
    "request": states.RequestKind,
    "status": states.RequestStatus,
    "interview": states.InterviewState,
    "notice": states.NoticeKind,
    "paper": states.NoticeState,
    "action": states.Action,
    "anchor": states.AnchorKind,
    "step": StepKind,
    "delivery": Status,
    "disabled": Disabled,
    "why": (ladder.BEFORE_CREATION, ladder.COLLAPSED, ladder.HELD),
    "rung": ("fired", "skipped", "due", "planned", "held"),
    "waiting": ("responsible", "supervising"),
    "side": ("responsible", "supervising"),
    "work": late.KINDS,
    "lamp": items.LAMPS,
}

EVERY = {f"word {name}": text for name, text in {**WORDS, **TERMS, **FIELDS}.items()}


@pytest.mark.parametrize("group", ENUMERATIONS)
def test_every_value_of_the_domain_has_a_word(group):
    missing = [str(value) for value in ENUMERATIONS[group] if f"{group}.{value}" not in TERMS]
    assert not missing


def test_no_term_stands_for_nothing():
    others = {"progress", "review", "notice", "decide", "withdraw", "interview"}
    beside = {"lamp": {"blue", "orange"}, "trigger": others}
    for name in TERMS:
        group, _, value = name.partition(".")
        assert value in {str(each) for each in ENUMERATIONS[group]} | beside.get(group, set()), name


@pytest.mark.parametrize("table", [WORDS, TERMS, FIELDS], ids=["words", "terms", "fields"])
def test_both_languages_say_it(table):
    for name, text in table.items():
        assert text.zh.strip() and text.en.strip(), name
        if name != "other_language":
            assert CHINESE.search(text.zh), name
            assert not CHINESE.search(text.en), name


@pytest.mark.parametrize("table", [WORDS, TERMS, FIELDS], ids=["words", "terms", "fields"])
def test_both_languages_say_it_with_the_same_facts(table):
    for name, text in table.items():
        facts = [{field for _, field, _, _ in string.Formatter().parse(each) if field} for each in (text.zh, text.en)]
        assert facts[0] == facts[1], name


def asked_for(kind: str) -> set[str]:
    """The names that the templates and the code ask for in so many words."""
    pattern = re.compile(rf'(?<![\w.])(?:{kind})\(\s*"([a-z_.0-9 -]+)"\s*[,)]')
    return {name for text in [*TEMPLATES.values(), *CODE.values()] for name in pattern.findall(text)}


def test_every_word_that_a_page_asks_for_is_there():
    names = asked_for(r"t|\w+\.word|word")
    assert len(names) > 80
    assert not names - set(WORDS) - {"unit", "supervising_unit", "label", "external_ref", "due_after", "due_before",
                                     "listed_after", "listed_before"}  # fmt: skip


def test_words_that_are_put_together_are_there():
    wanted = {f"deed.{form}" for form in [*FORMS, "replay"]} | {f"done.{form}" for form in [*FORMS, "replay"]}
    wanted |= {f"heat.{name}" for name in HEAT} | {f"weekday.{number}" for number in range(7)}
    wanted |= {f"sort.{name}" for name in items.SORTS}
    wanted |= {f"rule.{name}" for name in ("severity_limit", "immediate", "standing")}
    wanted |= {f"nav.{name}" for name in ("board", "items", "overdue", "requests", "interviews", "notices", "webhooks")}
    assert not wanted - set(WORDS)
    assert {*FORMS, "replay"} == DONE


def test_every_field_has_its_name():
    wanted = {field.name for form in FORMS.values() for field in form.fields}
    wanted |= set(items.NAMES) | set(SAID) | asked_for("field|fact|text")
    assert not wanted - set(FIELDS)


def test_every_deed_on_an_item_has_its_form():
    assert set(conduct.ON_ITEMS) <= set(FORMS)


def test_what_an_office_named_itself_stands_as_it_is():
    assert Speaker("zh", None).term("lamp", "紫") == "紫"


def test_events_speak_both_languages():
    for event_type in EVENT_TYPES:
        assert CHINESE.search(Speaker("zh", None).event(event_type))
        assert not CHINESE.search(Speaker("en", None).event(event_type))
    assert set(Format)
