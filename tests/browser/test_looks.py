"""How the pages look: within phones and desktops, in light and dark, on paper; and what axe finds wrong, which is
nothing."""

import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.api.helpers import VERIFIED, day
from tests.browser.conftest import DESKTOP, PHONE, County, Screen, Screens
from tests.evidence import photo

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LONG = "某某镇某某村第三村民小组至第五村民小组之间的饮水主管道长期漏损严重，早晚高峰缺水，群众反映强烈且多次投诉未果"


@pytest.fixture(scope="module")
def paths(county: County) -> dict[str, str]:
    """A page of each kind, full of what can be on it."""
    village, boss = county.key("responsible", "t1v1", "李明"), county.key("supervisor", "root", "王督办")
    shown = county.item(title=LONG, description=LONG * 4, due_on=day(20), labels=["饮水", "回头看"], goal="恢复供水")
    at = f"/v1/items/{shown['id']}"
    county.fire(shown["id"], "claim", village, signed_by="李明", measures="更换管道\n" * 6)
    file = {"file": (f"{LONG}.jpg", photo())}
    hung = [county.call("POST", "/v1/attachments", village, files=file)["id"] for _ in range(2)]
    report = {"text": LONG, "percent": 40, "attachment_ids": hung}
    county.call("POST", f"{at}/progress", village, json=report)
    asked = county.call("POST", f"{at}/requests", village, json={"kind": "closure", "summary": LONG})
    paper = {"kind": "supervision", "unit": "t1v1", "item_ids": [shown["id"]], "text": LONG}
    notice = county.call("POST", "/v1/notices", boss, json=paper)
    for days in (-3, -12, 0, 2, 5, 40):
        late = county.item(title=f"{LONG[:30]}{days}", due_on=day(days), responsible_unit="t2v1", severity="serious")
        if days in (0, -12):
            county.fire(late["id"], "claim", signed_by="张伟")
        if days == 0:
            county.fire(late["id"], "close", boss, verification=VERIFIED)
    summoned = county.item(title=LONG, due_on=day(-5))
    county.fire(summoned["id"], "escalate", boss, reason="未整改")
    talk = county.call("GET", f"/v1/items/{summoned['id']}")["interview_id"]
    hook = {"url": "https://93.184.216.34/" + "hook" * 20, "types": ["item.*"]}
    webhook = county.call("POST", "/v1/webhooks", json=hook)["id"]
    return {
        "board": "/console",
        "list": "/console/items?severity=serious&severity=general",
        "item": f"/console/items/{shown['id']}",
        "summoned": f"/console/items/{summoned['id']}",
        "overdue": "/console/overdue",
        "requests": "/console/requests",
        "request": f"/console/requests/{asked['id']}",
        "interviews": "/console/interviews",
        "interview": f"/console/interviews/{talk}",
        "notices": "/console/notices",
        "notice": f"/console/notices/{notice['id']}",
        "webhooks": "/console/webhooks",
        "webhook": f"/console/webhooks/{webhook}",
        "refusal": "/console/items/00000000-0000-7000-8000-000000000000",
    }


@pytest.fixture(scope="module")
def windows(browser: Browser, county: County) -> Iterator[dict[str, Screen]]:
    """The admin's window in every guise."""
    screens = Screens(browser, county.server.url)
    key = county.server.admin_key
    yield {
        "desktop": screens.open(key, DESKTOP, color_scheme="light"),
        "dark": screens.open(key, DESKTOP, color_scheme="dark"),
        "phone": screens.open(key, PHONE, color_scheme="light", is_mobile=True, has_touch=True),
    }
    screens.close()


def found_by_axe(page: Any) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", RULES
    )
    return [
        f"{each['id']}: {node['target']} {node.get('failureSummary', '')}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("guise", ["desktop", "dark", "phone"])
def test_axe_finds_nothing(windows: dict[str, Screen], paths: dict[str, str], guise: str) -> None:
    found: dict[str, list[str]] = {}
    for name, path in paths.items():
        page = windows[guise].go(path)
        # All that can be opened is looked at as well.
        page.evaluate("document.querySelectorAll('details:not([data-dialog])').forEach((each) => { each.open = true })")
        found[name] = found_by_axe(page)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_axe_finds_nothing_in_a_dialog_and_at_the_door(
    windows: dict[str, Screen], paths: dict[str, str], screens: Screens
) -> None:
    for guise in ("dark", "phone"):
        page = windows[guise].go(paths["item"])
        page.locator("summary", has_text="转办").first.click()
        page.locator("dialog[open]").wait_for()
        assert found_by_axe(page) == [], guise
    door = screens.open(None).go("/console/sign-in")
    assert found_by_axe(door) == []


def test_axe_would_find_something(windows: dict[str, Screen], paths: dict[str, str]) -> None:
    page = windows["desktop"].go(paths["board"])
    page.evaluate("document.querySelector('h1').setAttribute('class', 'planted')")
    page.evaluate("document.adoptedStyleSheets = [Object.assign(new CSSStyleSheet())]")
    page.evaluate("document.adoptedStyleSheets[0].replaceSync('.planted { color: #bbb }')")
    assert any(each.startswith("color-contrast") for each in found_by_axe(page))


@pytest.mark.parametrize("guise", ["desktop", "phone"])
def test_no_page_is_wider_than_its_window(windows: dict[str, Screen], paths: dict[str, str], guise: str) -> None:
    for name, path in paths.items():
        page = windows[guise].go(path)
        wide = page.evaluate("document.scrollingElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, (name, wide)


def test_what_is_pressed_is_large_enough_for_a_thumb(windows: dict[str, Screen], paths: dict[str, str]) -> None:
    """44 px for buttons and the ways between pages; links within text are as high as their lines."""
    pressed = ".button, .rail a, .tile, .legend a, .tabs a, .box, button, summary, select, input:not([type=checkbox])"
    small = """(pressed) => [...document.querySelectorAll(pressed)]
      .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest('.row'))
      .map((each) => [each.textContent.trim().slice(0, 20), each.getBoundingClientRect()])
      .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
      .map(([text, box]) => `${text} ${box.width} x ${box.height}`)"""
    for name, path in paths.items():
        assert windows["phone"].go(path).evaluate(small, pressed) == [], name


def test_on_a_phone_the_ways_are_at_the_bottom(windows: dict[str, Screen], paths: dict[str, str]) -> None:
    page = windows["phone"].go(paths["list"])
    box = page.locator(".rail").bounding_box()
    assert box is not None and box["y"] + box["height"] == PHONE["height"] and box["width"] == PHONE["width"]
    # A row is a card: the title stands above the rest.
    title = page.locator(".cell-title").first.bounding_box()
    lamp = page.locator(".cell-lamp").first.bounding_box()
    assert title is not None and lamp is not None and title["y"] < lamp["y"]
    # Nothing is hidden behind the bar at the end of the page.
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    last = page.locator("main > *").last.bounding_box()
    assert last is not None and last["y"] + last["height"] <= box["y"]


def test_dark_is_dark_and_light_is_light(windows: dict[str, Screen], paths: dict[str, str]) -> None:
    def ground(guise: str) -> int:
        page = windows[guise].go(paths["board"])
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(each) for each in colour.strip("rgb()").split(","))

    assert ground("dark") < 150 < 600 < ground("desktop")


@pytest.mark.parametrize("name", ["board", "list", "item"])
def test_on_paper_there_is_what_was_written_and_nothing_to_press(
    windows: dict[str, Screen], paths: dict[str, str], name: str
) -> None:
    page = windows["dark"].go(paths[name])
    page.emulate_media(media="print", color_scheme="dark")
    try:
        for gone in (".rail", ".bar-end", ".deeds", ".filters", ".tabs"):
            assert not page.locator(gone).first.is_visible(), gone
        assert page.locator(".foot").is_visible() and page.locator("h1").is_visible()
        # Ink is dark on white, whatever the screen was.
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        # What is for screen readers alone, or fills a window, made a blank last sheet.
        assert page.evaluate("getComputedStyle(document.body).minHeight") == "0px"
        assert not any(each.is_visible() for each in page.locator(".unseen").all())
        told = page.locator("p.on-paper").first
        assert name != "list" or (told.is_visible() and "严重程度 较重、一般" in told.inner_text())
        paper = page.pdf(format="A4")
        assert paper.startswith(b"%PDF") and 1 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 4
    finally:
        page.emulate_media(media="screen", color_scheme="dark")


def test_no_page_makes_the_browser_complain(windows: dict[str, Screen], paths: dict[str, str]) -> None:
    screen = windows["desktop"]
    for name, path in paths.items():
        screen.complaints.clear()
        screen.go(path).wait_for_timeout(50)
        assert [said for said in screen.complaints if name != "refusal" or "404" not in said] == [], name
