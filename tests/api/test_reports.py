"""Published months: what is frozen, that it stays, and what stands beside it when the past is corrected."""

import asyncio
import hashlib
import json
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook

from service.api.report_shapes import CorrectionsOut, ReportDocumentOut, ReportOut, ReportPageOut
from service.workers import sequencer
from service.workflow import reports as rules
from service.workflow.figures import FIGURES
from service.workflow.sealing import canonical
from tests.api.helpers import every_page, match, ok, read, refused
from tests.api.office import on
from tests.api.test_statistics import a_month, table

MARCH = {"month": "2026-03", "unit": "root"}


async def publish(office, by=None, status=201, **given):
    await sequencer.run_until_done(office.world.service)
    answer = await (by or office.county).post("/v1/statistics/reports", json={**MARCH, **given})
    return ok(answer, status) if status == 201 else answer


async def whole(office, report, by=None):
    found = await read(by or office.county, f"/v1/statistics/reports/{report['id']}")
    ReportDocumentOut.model_validate(found)
    return found


async def corrections(office, report):
    await sequencer.run_until_done(office.world.service)
    found = await read(office.county, f"/v1/statistics/reports/{report['id']}/corrections")
    CorrectionsOut.model_validate(found)
    return found


@pytest.fixture
async def april(empty_office):
    """The month of `a_month` is over."""
    await a_month(empty_office)
    await empty_office.turn("04-07")
    return empty_office


async def test_what_is_published_is_the_table_of_the_month(april):
    made = await publish(april)
    ReportOut.model_validate(made)
    found = await whole(april, made)
    now = await read(april.county, "/v1/statistics", by="unit", **{"from": on("03-01"), "to": on("03-31")})
    assert found["document"]["rows"] == now["rows"] and found["document"]["total"] == now["total"]
    assert {name: found[name] for name in made} == made
    assert [each["name"] for each in found["document"]["definitions"]] == [figure.name for figure in FIGURES]
    (policy,) = found["document"]["policies"]
    assert policy["policy"] == (await read(april.county, "/v1/ledgers/" + policy["ledger_id"]))["policy"]
    root = await read(april.county, f"/v1/units/{april.units['root']}")
    assert found["document"]["unit"] == {name: root[name] for name in ("id", "code", "name")}


async def test_its_digest_is_of_the_document_and_stands_in_the_log(april):
    made = await publish(april)
    found = await whole(april, made)
    canonical = json.dumps(found["document"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(canonical.encode()).hexdigest() == made["digest"]
    await sequencer.run_until_done(april.world.service)
    (event,) = (await read(april.county, "/v1/events", type="report.published"))["items"]
    assert event["unit_id"] == april.units["root"]
    assert event["data"] == {
        "report_id": made["id"], "month": "2026-03", "size": made["position"], "digest": made["digest"],
    }  # fmt: skip
    origin, size, root, *_ = made["checkpoint"].splitlines()
    assert int(size) == made["position"] == event["position"] - 1 and root and origin


async def test_what_comes_later_changes_nothing_and_stands_beside_it(april):
    made = await publish(april)
    before = await whole(april, made)
    assert await corrections(april, made) == {"position": made["position"] + 1, "rows": [], "total": {}}
    late = (await every_page(april.county, "/v1/statistics/items", metric="overdue", limit=1,
                             **{"from": on("03-01"), "to": on("03-31"), "unit": "t1v1"}))[0]  # fmt: skip
    item = await read(april.county, f"/v1/items/{late['item_id']}")
    await april.fire(april.admin, item, "annul", reason="重复登记")
    assert await whole(april, made) == before
    found = await corrections(april, made)
    assert [row["code"] for row in found["rows"]] == ["t1"]
    changed = found["rows"][0]["figures"]
    assert (
        changed["listed"] == {"published": 3, "now": 2}
        and changed["overdue"]["now"] == changed["overdue"]["published"] - 1
    )
    assert found["total"]["listed"] == {"published": 4, "now": 3}
    rows, _ = await table(april)
    assert rows["t1"]["listed"] == 2


async def test_a_new_policy_or_name_does_not_change_what_was_published(april):
    made = await publish(april)
    before = await whole(april, made)
    ledger = (await every_page(april.admin, "/v1/ledgers"))[0]
    other = {**ledger["policy"], "claim_within": ledger["policy"]["claim_within"] + 1}
    given = {"name": "另一个名字", "policy": other}
    changed = ok(await april.admin.patch(f"/v1/ledgers/{ledger['id']}", json=given, headers=match(ledger)))
    assert changed["policy"] == other and changed["name"] == given["name"]
    assert before["document"]["policies"][0]["policy"] == ledger["policy"] != other
    unit = await read(april.admin, f"/v1/units/{april.units['t1']}")
    ok(await april.admin.patch(f"/v1/units/{unit['id']}", json={"name": "新名镇"}, headers=match(unit)))
    assert await whole(april, made) == before


async def test_a_month_is_published_once_for_a_unit_and_ledger(april):
    await publish(april)
    refused(await publish(april, status=409), "conflict")
    await publish(april, ledger="default")
    await publish(april, unit="t1")
    refused(await publish(april, by=april.town, status=409, unit="t1"), "conflict")
    both = await asyncio.gather(*(publish(april, status=0, unit="t2") for _ in range(4)))
    assert sorted(answer.status_code for answer in both) == [201, 409, 409, 409]
    found = await every_page(april.county, "/v1/statistics/reports")
    assert len(found) == 4
    await sequencer.run_until_done(april.world.service)
    assert len((await read(april.county, "/v1/events", type="report.published"))["items"]) == 4


async def test_the_same_key_gives_the_same_report(april):
    await sequencer.run_until_done(april.world.service)
    key = {"Idempotency-Key": "march-2026"}
    first = await april.county.post("/v1/statistics/reports", json=MARCH, headers=key)
    again = await april.county.post("/v1/statistics/reports", json=MARCH, headers=key)
    assert (first.status_code, again.status_code) == (201, 201) and first.content == again.content
    assert again.headers["idempotent-replayed"] == "true" and again.headers["location"] == first.headers["location"]


async def test_reports_are_listed_newest_month_first(april):
    for month, unit in (("2026-01", "root"), ("2026-03", "t1"), ("2026-02", "root"), ("2026-03", "root")):
        await publish(april, month=month, unit=unit)
    ReportPageOut.model_validate(await read(april.county, "/v1/statistics/reports"))
    found = await every_page(april.county, "/v1/statistics/reports", limit=1)
    assert [row["month"] for row in found] == ["2026-03", "2026-03", "2026-02", "2026-01"]
    for given, count in (
        ({"month": "2026-03"}, 2), ({"unit": "t1"}, 1), ({"unit": "root", "month": "2026-02"}, 1),
        ({"ledger": "default"}, 0),
    ):  # fmt: skip
        assert len(await every_page(april.county, "/v1/statistics/reports", **given)) == count
    assert [row["unit_id"] for row in await every_page(april.town, "/v1/statistics/reports")] == [april.units["t1"]]


async def test_a_month_that_is_not_over_is_not_published(april):
    refused(await publish(april, status=422, month="2026-04"), "invalid_request", ("/month", "in_future"))
    # Not before the tenant's own midnight.
    april.at("03-31", "23:59")
    refused(await publish(april, status=422), "invalid_request", ("/month", "in_future"))
    april.at("04-01", "00:00")
    await publish(april)


async def test_a_month_is_published_only_when_clock_and_log_have_come_to_its_end(empty_office):
    """Else what fell due on its last day would be missing from it for ever, and stand beside it as a correction."""
    office = empty_office
    await a_month(office)
    due = await office.item(due_on=on("03-31"))
    office.at("04-01", "00:00")
    for _ in range(2):
        # The clock has not looked; then it has, and what it found has no position.
        answer = await office.county.post("/v1/statistics/reports", json=MARCH)
        refused(answer, "unavailable")
        assert int(answer.headers["retry-after"]) > 0 and "月末" in answer.json()["detail"]
        await office.turn("04-01", "00:00")
    made = await publish(office)
    document = (await whole(office, made))["document"]
    assert document["total"]["overdue"] == 3
    await office.turn("04-07")
    assert (await corrections(office, made))["rows"] == []
    counted = await every_page(office.county, "/v1/statistics/items", metric="overdue",
                               **{"from": on("03-01"), "to": on("03-31")})  # fmt: skip
    assert due["id"] in {each["item_id"] for each in counted}


async def test_what_the_month_left_without_a_position_is_waited_for(empty_office):
    office = empty_office
    await office.turn("03-31", "23:00")
    await office.item(due_on=on("05-29"))
    await office.turn("04-01", "00:00")
    refused(await office.county.post("/v1/statistics/reports", json=MARCH), "unavailable")
    # Of no concern to a month that was over before.
    ok(await office.county.post("/v1/statistics/reports", json={**MARCH, "month": "2026-02"}), 201)
    made = await publish(office)
    assert (await whole(office, made))["document"]["total"]["listed"] == 1
    assert (await corrections(office, made))["rows"] == []


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"month": "2026-13"}, "/month", "bad_format"),
        ({"month": "2026-3"}, "/month", "bad_format"),
        ({"month": "2026-03-01"}, "/month", "bad_format"),
        ({"month": 202603}, "/month", "wrong_type"),
        ({"month": "1899-12"}, "/month", "out_of_range"),
        ({"month": None}, "/month", "wrong_type"),
        ({"unit": "nowhere"}, "/unit", "unknown_reference"),
        ({"unit": None}, "/unit", "missing"),
        ({"ledger": "nowhere"}, "/ledger", "unknown_reference"),
        ({"year": 2026}, "/year", "unknown_field"),
    ],
)
async def test_what_is_refused(april, given, pointer, code):
    refused(await publish(april, status=422, **given), "invalid_request", (pointer, code))
    assert await every_page(april.county, "/v1/statistics/reports") == []


async def test_who_publishes_and_who_reads(april):
    town = await publish(april, by=april.town, unit="t1")
    refused(await publish(april, by=april.village, status=403, unit="t1v1"), "forbidden")
    refused(await publish(april, by=april.town, status=422), "invalid_request", ("/unit", "unknown_reference"))
    await whole(april, town, april.town)
    refused(await april.village.get(f"/v1/statistics/reports/{town['id']}"), "not_found")
    below = await publish(april, by=april.town, unit="t1v1")
    await whole(april, below, april.village)


async def test_what_has_no_position_yet_is_counted_as_a_correction(april):
    done = await publish(april)
    # On the last day of March, told to the log when the month was published already.
    item = await april.item(listed_at=f"{on('03-31')}T09:00:00Z", due_on=on("04-30"))
    town = ok(await april.county.post("/v1/statistics/reports", json={**MARCH, "unit": "t1"}), 201)
    for report, code in ((done, "t1"), (town, "t1v1")):
        found = await corrections(april, report)
        assert found["position"] > report["position"]
        assert [row["code"] for row in found["rows"]] == [code]
        changed = found["total"]["listed"]
        assert changed["now"] == changed["published"] + 1
    assert item["listed_at"].startswith(on("03-31"))


async def test_as_a_workbook_it_has_the_same_figures(april):
    unit = await read(april.admin, f"/v1/units/{april.units['t2']}")
    ok(await april.admin.patch(f"/v1/units/{unit['id']}", json={"name": "=1+1"}, headers=match(unit)))
    made = await publish(april)
    document = (await whole(april, made))["document"]
    answer = await april.county.get(f"/v1/statistics/reports/{made['id']}.xlsx")
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    (sheet,) = [
        CalamineWorkbook.from_filelike(BytesIO(answer.content)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    ]
    titles = {figure.title.zh: figure.name for figure in FIGURES}
    names = [titles[text] for text in sheet[3][2:]]
    assert sorted(names) == sorted(figure.name for figure in FIGURES)
    assert sheet[0][0].endswith("问题整改情况月报（2026年3月）")
    for row, shown in zip([*document["rows"], None], sheet[4:], strict=False):
        figures = row["figures"] if row else document["total"]
        assert [None if cell == "—" else cell for cell in shown[2:]] == [figures[name] for name in names]
    assert [shown[0] for shown in sheet[4:9]] == [
        *(row["name"] + ("（本级）" if row["alone"] else "") for row in document["rows"]), "合计",
    ]  # fmt: skip
    # Of t1 alone anything fell due.
    assert [shown[1] for shown in sheet[4:9]] == ["—", "—", 1, "—", ""]
    assert any(made["digest"] in str(row[0]) for row in sheet[9:])
    refused(await april.village.get(f"/v1/statistics/reports/{made['id']}.xlsx"), "not_found")


def of_other_days(document):
    """The same as it would have been made when one figure was called otherwise, one was not there yet, and one still
    was that is none any more."""
    made = json.loads(document)
    definitions = {each["name"]: each for each in made["definitions"]}
    definitions["listed"]["title"]["zh"] = "列入数"
    definitions["annulled"] |= {"name": "struck", "title": {"zh": "核销数", "en": "Struck"}}
    made["definitions"] = [each for each in made["definitions"] if each["name"] != "overdue"]
    for figures in (*(row["figures"] for row in made["rows"]), made["total"]):
        figures["struck"] = figures.pop("annulled") + 7
        del figures["overdue"]
    return canonical(made)


async def test_workbook_and_corrections_are_by_the_definitions_that_were_published(april, monkeypatch):
    current = rules.document
    with monkeypatch.context() as patch:
        patch.setattr(rules, "document", lambda **given: of_other_days(current(**given)))
        made = await publish(april)
    document = (await read(april.county, f"/v1/statistics/reports/{made['id']}"))["document"]
    answer = await april.county.get(f"/v1/statistics/reports/{made['id']}.xlsx")
    assert answer.status_code == 200
    sheet = CalamineWorkbook.from_filelike(BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert len(sheet[3]) - 2 == len(FIGURES) - 1 and sheet[2][-1] == "其他"
    total = dict(zip(sheet[3], sheet[4 + len(document["rows"])], strict=True))
    assert (total["列入数"], total["核销数"]) == (document["total"]["listed"], 7)
    assert not {"新增", "作废数", "超期未结"} & total.keys()
    assert total["按期销号率"] == document["total"]["on_time_rate"]
    # What was counted then is looked for now; what is counted only now was no figure of the month.
    found = await corrections(april, made)
    assert found["total"] == {"struck": {"published": 7, "now": None}}
    assert all(row["figures"].keys() == {"struck"} for row in found["rows"])
