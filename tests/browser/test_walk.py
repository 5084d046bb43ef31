"""An item's way through the console in a real browser: three people, three windows, a board that moves by itself."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.api.helpers import day
from tests.browser.conftest import PHONE, County, Screens
from tests.evidence import photo

NASTY = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>" onfocus=window.hacked=3 x=\''


def press(page: Page, deed: str) -> None:
    """The button of a deed, which opens its form."""
    page.locator("summary", has_text=re.compile(f"^{deed}$")).click()


@pytest.fixture(scope="module")
def keys(county: County) -> dict[str, str]:
    return {
        "village": county.key("responsible", "t1v1", "李明"),
        "boss": county.key("supervisor", "root", "王督办"),
        "other": county.key("supervisor", "root", "赵副组长"),
    }


def test_claim_ask_decide_close_and_the_board_sees_it(screens: Screens, county: County, keys: dict[str, str]) -> None:
    item = county.item(title="三组饮水管网漏损，早晚缺水", due_on=day(10))
    path = f"/console/items/{item['id']}"
    board = screens.open(keys["other"])
    expect(board.page.locator('[data-tile="to_decide"] .tile-num')).to_have_text("0")
    expect(board.page.locator("#live")).to_be_visible()

    village = screens.open(keys["village"], PHONE, is_mobile=True, has_touch=True)
    page = village.go(path)
    press(page, "签字认领")
    dialog = page.get_by_role("dialog", name="签字认领")
    expect(dialog).to_be_visible()
    dialog.get_by_label("签字人").fill("李明")
    dialog.get_by_label("整改措施").fill("更换主管道120米")
    dialog.get_by_role("button", name="签字认领").click()
    expect(page.locator(".flash").first).to_have_text("已签字认领。")
    expect(page.locator(".item-head")).to_contain_text("整改中")

    press(page, "申请延期")
    dialog = page.get_by_role("dialog", name="申请延期")
    dialog.get_by_label("整改期限").fill(day(25))
    dialog.get_by_label("理由").fill("连续降雨，开挖推迟")
    dialog.get_by_role("button", name="申请延期").click()
    expect(page.locator(".flash").first).to_have_text("延期申请已提交。")

    # Nobody touched the board.
    expect(board.page.locator('[data-tile="to_decide"] .tile-num')).to_have_text("1")

    boss = screens.open(keys["boss"])
    page = boss.go("/console/requests")
    page.get_by_role("link", name="三组饮水管网漏损").click()
    press(page, "批准延期")
    dialog = page.get_by_role("dialog", name="批准延期")
    expect(dialog.get_by_label("整改期限")).to_have_value(day(25))
    dialog.get_by_role("button", name="批准延期").click()
    expect(page.locator(".flash").first).to_have_text("延期申请已批准。")
    expect(page.locator(".item-head")).to_contain_text("延期整改")
    expect(board.page.locator('[data-tile="to_decide"] .tile-num')).to_have_text("0")

    # Whoever has the item open is told, and what is typed stays.
    expect(village.page.locator("#news")).to_be_visible()

    press(page, "销号")
    dialog = page.get_by_role("dialog", name="销号")
    dialog.get_by_label("核验方式").select_option("household")
    dialog.get_by_label("核验情况").fill("入户核验，三组供水正常")
    green = board.page.locator(".legend a").first.locator(".num")
    before = int(green.inner_text())
    dialog.get_by_role("button", name="销号").click()
    expect(page.locator(".flash").first).to_have_text("已销号。")
    expect(page.locator(".timeline")).to_contain_text("入户核验，三组供水正常")
    expect(green).to_have_text(str(before - 1))
    assert county.call("GET", f"/v1/items/{item['id']}")["state"] == "closed"
    assert board.complaints + village.complaints + boss.complaints == []


def test_a_refusal_comes_back_in_its_dialog_with_what_was_typed(
    screens: Screens, county: County, keys: dict[str, str]
) -> None:
    item = county.item(title="河道垃圾未清", due_on=day(10))
    county.fire(item["id"], "claim", signed_by="张伟")
    boss = screens.open(keys["boss"])
    page = boss.go(f"/console/items/{item['id']}")
    press(page, "延期")
    dialog = page.get_by_role("dialog", name="延期")
    dialog.get_by_label("整改期限").fill(day(5))
    dialog.get_by_label("理由").fill("理由写了很久")
    dialog.get_by_role("button", name="延期").click()
    dialog = page.get_by_role("dialog", name="延期")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("alert")).to_contain_text("新的期限必须晚于今天")
    expect(dialog.get_by_label("理由")).to_have_value("理由写了很久")
    # The status is 409, which the browser notes as a failed load; nothing else went wrong.
    assert [said for said in boss.complaints if "409" not in said] == []


def test_what_people_write_never_runs(screens: Screens, county: County, keys: dict[str, str]) -> None:
    item = county.item(
        title=NASTY, description=NASTY, responsible_person=NASTY, labels=[NASTY[:60]], goal=NASTY,
        source={"kind": "opinion", "ref": NASTY, "contact": NASTY},
    )  # fmt: skip
    county.fire(item["id"], "claim", keys["village"], signed_by=NASTY, measures=NASTY)
    county.call("POST", f"/v1/items/{item['id']}/progress", keys["village"], json={"text": NASTY})
    asked = county.call(
        "POST", f"/v1/items/{item['id']}/requests", keys["village"], json={"kind": "closure", "summary": NASTY}
    )
    # A photo with such a name comes through the form, as a browser sends it.
    village = screens.open(keys["village"])
    page = village.go(f"/console/items/{item['id']}")
    press(page, "填报进展")
    dialog = page.get_by_role("dialog", name="填报进展")
    dialog.get_by_label("内容").fill("见照片")
    name = "\"><img src=x onerror=window.hacked=5>'.jpg"
    dialog.get_by_label("佐证附件").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": photo()})
    dialog.get_by_role("button", name="填报进展").click()
    expect(page.locator(".flash").first).to_have_text("进展已填报。")
    expect(page.locator(".files a")).to_have_count(1)
    assert page.evaluate("window.hacked") is None and village.complaints == []
    with page.expect_download() as download:
        page.locator(".files a").click()
    assert download.value.suggested_filename.endswith(".jpg")
    boss = screens.open(keys["boss"])
    boss.page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective))"
    )
    for path in (f"items/{item['id']}", f"requests/{asked['id']}", "requests", "items?q=onerror", "items", ""):
        page = boss.go(f"/console/{path}".rstrip("/"))
        page.wait_for_load_state("networkidle" if not path else "load")
        assert page.evaluate("window.hacked") is None, path
        assert page.locator("main img, main script").count() == 0, path
    expect(boss.go(f"/console/items/{item['id']}").locator("h1")).to_have_text(NASTY)
    # Kept as a filter, it is a name in a list and no more.
    page = boss.go("/console/items?q=" + "%3Cimg%20src%3Dx%20onerror%3Dwindow.hacked%3D4%3E")
    page.get_by_role("button", name="保存此筛选").click()
    expect(page.locator(".saved-links a").first).to_contain_text("<img src=x")
    assert page.evaluate("window.hacked") is None
    assert boss.complaints == []


def test_without_a_script_everything_is_done_just_so(screens: Screens, county: County, keys: dict[str, str]) -> None:
    item = county.item(title="卫生室无人值守", due_on=day(10))
    village = screens.open(keys["village"], java_script_enabled=False)
    page = village.go(f"/console/items/{item['id']}")
    page.locator("summary", has_text="签字认领").first.click()
    page.get_by_label("签字人").first.fill("李明")
    page.get_by_role("button", name="签字认领").click()
    expect(page.locator(".flash").first).to_have_text("已签字认领。")
    assert county.call("GET", f"/v1/items/{item['id']}")["state"] == "rectifying"


def test_by_keyboard_alone(screens: Screens, county: County, keys: dict[str, str]) -> None:
    item = county.item(title="路灯不亮", due_on=day(10))
    village = screens.open(keys["village"])
    page = village.go(f"/console/items/{item['id']}")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("跳到正文")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("签字认领")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="签字认领")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("签字人")).to_be_focused()
    for _ in range(8):
        page.keyboard.press("Tab")
        inside = page.evaluate("!!document.activeElement.closest('dialog') || document.activeElement === document.body")
        assert inside
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator(":focus")).to_have_text("签字认领")
    page.keyboard.press("Enter")
    page.keyboard.type("李明")
    page.keyboard.press("Enter")
    expect(page.locator(".flash").first).to_have_text("已签字认领。")


def test_filters_are_kept_and_units_suggested(screens: Screens, county: County, keys: dict[str, str]) -> None:
    county.item(title="垃圾清运不及时", responsible_unit="t2v1")
    boss = screens.open(keys["boss"])
    page = boss.go("/console/items")
    page.get_by_text("更多筛选").click()
    page.get_by_label("责任单位").press_sequentially("二镇")
    expect(page.locator("datalist option[value='二镇一村']")).to_be_attached()
    page.get_by_label("责任单位").fill("二镇一村")
    page.get_by_role("button", name="筛选", exact=True).click()
    expect(page.locator(".cell-unit").first).to_have_text("二镇一村")
    assert set(page.locator(".cell-unit").all_inner_texts()) == {"二镇一村"}
    page.get_by_role("button", name="保存此筛选").click()
    saved = page.locator(".saved-links a").first
    expect(saved).to_contain_text("二镇一村")
    page = boss.go("/console/items")
    page.locator(".saved-links a").first.click()
    expect(page.locator(".cell-unit").first).to_have_text("二镇一村")
    page.get_by_role("button", name=re.compile("^移除")).click()
    expect(page.locator(".saved-links li")).to_have_count(0)
    assert boss.complaints == []
