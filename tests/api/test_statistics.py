"""Figures over HTTP: whose they are, by what they are told apart, and the items behind them."""

from uuid import UUID

import pytest

from service.actions import figuring
from service.api.figure_shapes import CountedPageOut, StatisticsOut
from service.workers import figures, sequencer
from tests.api.helpers import every_page, ok, read, refused
from tests.api.office import on


async def table(office, client=None, by="unit", *, first="03-01", last="03-31", **params):
    """A table over HTTP, everything counted that has happened; the figures that are something, by the rows' codes."""
    await sequencer.run_until_done(office.world.service)
    period = {"from": on(first), "to": on(last)}
    found = await read(client or office.admin, "/v1/statistics", by=by, **period, **params)
    StatisticsOut.model_validate(found)
    assert (found["by"], found["from"], found["to"]) == (by, on(first), on(last))
    rows = {(row["code"] or row["key"]): {**told(row["figures"]), "alone": row["alone"]} for row in found["rows"]}
    return rows, told(found["total"])


def told(found):
    return {name: value for name, value in found.items() if value}


async def behind(office, client=None, metric="listed", *, first="03-01", last="03-31", **params):
    await sequencer.run_until_done(office.world.service)
    given = {"metric": metric, "from": on(first), "to": on(last), **params}
    CountedPageOut.model_validate(await read(client or office.admin, "/v1/statistics/items", **given))
    return await every_page(client or office.admin, "/v1/statistics/items", **given)


async def a_month(office):
    """In t1v1 one closed on time and one that is overdue; in t2v1 one that is claimed; one that t1 itself has to do."""
    await office.turn("03-02", "10:00")
    done = await office.claimed(due_on=on("03-20"), severity="serious", source={"kind": "audit"}, category="水利")
    late = await office.item(due_on=on("03-06"), category="水利")
    there = await office.item(due_on=on("04-10"), responsible_unit="t2v1", category="道路")
    town = await office.item(due_on=on("03-31"), responsible_unit="t1")
    office.at("03-03")
    await office.fire(office.admin, there, "claim", signed_by="王强")
    request = await office.pending(done, "closure")
    office.at("03-05")
    ok(await office.approve(request))
    await office.turn("03-10")
    return {"done": done, "late": late, "there": there, "town": town}


async def test_a_table_by_units_has_a_row_for_each_right_below(empty_office):
    office = empty_office
    await a_month(office)
    rows, total = await table(office)
    assert list(rows) == ["root", "d1", "t1", "t2"]
    assert rows["root"] == {"alone": True} and rows["d1"] == {"alone": False}
    assert rows["t1"] == {
        "alone": False, "listed": 3, "claims_due": 3, "claimed_on_time": 1, "claim_rate": 0.3333, "closed": 1,
        "fell_due": 2, "closed_on_time": 1, "on_time_rate": 0.5, "overdue": 1, "rectifying": 1, "closures_decided": 1,
        "median_days_to_close": 3, "p90_days_to_close": 3,
    }  # fmt: skip
    assert rows["t2"] == {
        "alone": False, "listed": 1, "claims_due": 1, "claimed_on_time": 1, "claim_rate": 1.0, "rectifying": 1,
    }  # fmt: skip
    assert (total["listed"], total["claim_rate"], total["overdue"]) == (4, 0.5, 1)
    rows, _ = await table(office, unit="t1")
    assert {code: row.get("listed", 0) for code, row in rows.items()} == {"t1": 1, "t1v1": 2, "t1v2": 0}
    assert [code for code, row in rows.items() if row["alone"]] == ["t1"]
    rows, total = await table(office, unit="t1", subtree="false")
    assert rows["t1"]["listed"] == total["listed"] == 1 and list(rows) == ["t1"]


async def test_tables_by_everything_else(empty_office):
    office = empty_office
    await a_month(office)
    rows, _ = await table(office, by="severity")
    assert {key: row["listed"] for key, row in rows.items()} == {"general": 3, "serious": 1}
    rows, _ = await table(office, by="source")
    assert {key: row["listed"] for key, row in rows.items()} == {"audit": 1, "other": 3}
    rows, _ = await table(office, by="ledger")
    assert {key: row["listed"] for key, row in rows.items()} == {"default": 4}
    rows, total = await table(office, by="month", first="01-15", last="04-30")
    assert {key: row["listed"] for key, row in rows.items()} == {"2026-03": 4}
    assert total["listed"] == 4
    office.at("05-06")
    await office.turn("05-06")
    rows, total = await table(office, by="month", first="03-01", last="05-31")
    assert {key: (row.get("fell_due", 0), row.get("overdue", 0)) for key, row in rows.items()} == {
        # What is due on the last day of March is overdue when March is over.
        "2026-03": (3, 2), "2026-04": (1, 3), "2026-05": (0, 3),
    }  # fmt: skip
    assert (total["fell_due"], total["overdue"]) == (4, 3)


async def test_what_figures_are_narrowed_to(empty_office):
    office = empty_office
    await a_month(office)
    for given, listed in (
        ({"severity": ["general"]}, 3), ({"severity": ["general", "serious"]}, 4), ({"source": "audit"}, 1),
        ({"category": "水利"}, 2), ({"category": "没有"}, 0), ({"ledger": "default"}, 4), ({"unit": "t2"}, 1),
        ({"unit": "t1", "category": "水利", "severity": "serious"}, 1), ({"unit": "t1v2"}, 0),
    ):  # fmt: skip
        _, total = await table(office, by="month", **given)
        assert total.get("listed", 0) == listed == len(await behind(office, **given)), given
    other = await office.ledger()
    _, total = await table(office, by="month", ledger=other)
    assert total == {}


async def test_the_period_that_is_not_named_is_this_month_until_today(empty_office):
    office = empty_office
    await a_month(office)
    await sequencer.run_until_done(office.world.service)
    found = await read(office.admin, "/v1/statistics", by="month")
    assert (found["from"], found["to"]) == (on("03-01"), on("03-10"))
    found = await read(office.admin, "/v1/statistics", by="month", to="2026-01-20")
    assert (found["from"], found["to"], found["rows"]) == ("2026-01-01", "2026-01-20", [])
    assert found["position"] > 0


async def test_the_same_position_gives_the_same_rows_whether_it_is_summed_up_or_not(empty_office):
    """A row of nothing is none: not where sums have a row whose counts were taken back, or lie before the period."""
    office = empty_office
    made = await a_month(office)
    await office.fire(office.admin, made["town"], "annul", reason="误列")
    periods = (("2026-03-01", "2026-03-31"), ("2026-03-03", "2026-03-09"), ("2026-04-01", "2026-05-15"))
    answers = []
    for summed_up in (False, True):
        await sequencer.run_until_done(office.world.service)
        if summed_up:
            await figures.run_until_done(office.world.service)
        answers.append([
            await read(office.admin, "/v1/statistics", by=by, **{"from": first, "to": last})
            for by in ("unit", "ledger", "month", "source", "severity") for first, last in periods
        ])  # fmt: skip
    assert answers[0] == answers[1]
    for answer in answers[1]:
        if answer["by"] not in ("unit", "month"):
            assert all(any(row["figures"].values()) for row in answer["rows"]), answer
    (later,) = [each for each in answers[1] if each["by"] == "source" and each["from"] == periods[2][0]]
    assert [row["key"] for row in later["rows"]] == ["other"]


# -- whose they are


async def test_a_caller_has_the_figures_of_its_own_units(empty_office):
    office = empty_office
    await a_month(office)
    rows, total = await table(office, office.town)
    assert {code: row.get("listed", 0) for code, row in rows.items()} == {"t1": 1, "t1v1": 2, "t1v2": 0}
    assert total["listed"] == 3
    _, of_county = await table(office, by="month", unit="t1")
    _, of_town = await table(office, office.town, by="month")
    assert of_county == of_town == total
    assert {row["unit_id"] for row in await behind(office, office.town)} == {office.units["t1"], office.units["t1v1"]}
    rows, _ = await table(office, office.village)
    assert list(rows) == ["t1v1"]
    both = await office.person("viewer", "t1v1")
    me = (await read(both, "/v1/me"))["principal_id"]
    ok(await office.admin.post(f"/v1/principals/{me}/grants", json={"role": "viewer", "unit": "t2"}), 201)
    office.world.app.state.doorkeeper.forget_everyone()
    rows, total = await table(office, both)
    assert {code: row["listed"] for code, row in rows.items()} == {"t1v1": 2, "t2": 1}
    assert total["listed"] == 3 and not any(row["alone"] for row in rows.values())
    answer = await both.get("/v1/statistics", params={"by": "month", "subtree": "false"})
    refused(answer, "invalid_request", ("/query/unit", "missing"))


async def test_what_is_out_of_scope_is_unknown(empty_office):
    office = empty_office
    for path in ("/v1/statistics?by=unit", "/v1/statistics/items?metric=closed"):
        for unit in ("t2", office.units["t2"], "root", "nowhere"):
            answer = await office.town.get(f"{path}&unit={unit}")
            refused(answer, "invalid_request", ("/query/unit", "unknown_reference"))
        answer = await office.town.get(f"{path}&ledger=nowhere")
        refused(answer, "invalid_request", ("/query/ledger", "unknown_reference"))


async def test_who_has_no_grant_has_no_figures(empty_office):
    office = empty_office
    await a_month(office)
    nobody = await office.person("viewer", "t1")
    me = (await read(nobody, "/v1/me"))["principal_id"]
    for grant in await every_page(office.admin, f"/v1/principals/{me}/grants"):
        assert (await office.admin.delete(f"/v1/principals/{me}/grants/{grant['id']}")).status_code == 204
    office.world.app.state.doorkeeper.forget_everyone()
    for by in ("unit", "month", "ledger", "source", "severity"):
        assert await table(office, nobody, by) == ({}, {})
    assert await behind(office, nobody) == []


async def test_another_tenant_s_items_count_nowhere_here(empty_office, world):
    office = empty_office
    await a_month(office)
    other = await world.tenant("elsewhere-for-figures")
    await sequencer.run_until_done(world.service)
    found = await read(other, "/v1/statistics", by="unit", **{"from": on("01-01")})
    assert told(found["total"]) == {} and [row["code"] for row in found["rows"]] == ["root"]
    assert (await read(other, "/v1/statistics/items", metric="listed"))["items"] == []
    answer = await other.get("/v1/statistics", params={"by": "unit", "unit": office.units["t1"]})
    refused(answer, "invalid_request", ("/query/unit", "unknown_reference"))


# -- the items behind them


async def test_each_count_names_its_items(empty_office):
    office = empty_office
    made = await a_month(office)
    _, total = await table(office)
    named = {
        "listed": {"done", "late", "there", "town"}, "claims_due": {"done", "late", "there", "town"},
        "claimed_on_time": {"done", "there"}, "closed": {"done"}, "fell_due": {"done", "late"},
        "closed_on_time": {"done"}, "overdue": {"late"}, "rectifying": {"done", "there"},
        "closures_decided": {"done"}, "closures_returned": set(), "annulled": set(),
    }  # fmt: skip
    for metric, names in named.items():
        rows = await behind(office, metric=metric)
        assert {row["item_id"] for row in rows} == {made[name]["id"] for name in names}, metric
        assert sum(row["count"] for row in rows) == total.get(metric, 0)
    (closed,) = await behind(office, metric="closed")
    assert closed == {
        "item_id": made["done"]["id"], "number": made["done"]["number"], "title": made["done"]["title"], "cycle": 1,
        "day": on("03-05"), "unit_id": office.units["t1v1"], "ledger_id": made["done"]["ledger_id"],
        "severity": "serious", "source": "audit", "days": 3, "count": 1,
    }  # fmt: skip
    (fell_due,) = await behind(office, metric="closed_on_time")
    assert (fell_due["day"], fell_due["days"]) == (on("03-20"), None)


async def test_pages_follow_each_other(empty_office):
    office = empty_office
    await a_month(office)
    whole = await behind(office, metric="claims_due")
    paged = await behind(office, metric="claims_due", limit=1)
    assert paged == whole and len(whole) == 4
    first = await read(office.admin, "/v1/statistics/items", metric="claims_due", limit=1, **{"from": on("03-01")})
    cursor = {"limit": 1, "cursor": first["next_cursor"], "from": on("03-01")}
    refused(
        await office.admin.get("/v1/statistics/items", params={"metric": "listed", **cursor}),
        "invalid_request",
        ("/query/cursor", "bad_cursor"),
    )


async def test_what_went_elsewhere_is_named_without_its_title(empty_office):
    """It was the town's when it counted, and is none of its business now."""
    office = empty_office
    made = await a_month(office)
    office.at("03-12")
    await office.fire(office.county, made["late"], "transfer", responsible_unit="t2v1", reason="职责划转",
                      supervising_unit="t2")  # fmt: skip
    rows = {row["item_id"]: row for row in await behind(office, office.town, metric="fell_due")}
    late, done = rows[made["late"]["id"]], rows[made["done"]["id"]]
    assert (late["number"], late["title"], late["unit_id"]) == (None, None, office.units["t1v1"])
    assert (done["number"], done["title"]) == (made["done"]["number"], made["done"]["title"])
    assert [row["item_id"] for row in await behind(office, metric="overdue", unit="t2")] == [made["late"]["id"]]
    assert await behind(office, office.town, metric="overdue") == []


async def test_a_unit_that_moves_takes_its_figures_along(empty_office):
    office = empty_office
    await a_month(office)
    unit = await read(office.admin, f"/v1/units/{office.units['t1v1']}")
    moved = await office.admin.patch(
        f"/v1/units/{unit['id']}", json={"parent_id": office.units["t2"]},
        headers={"If-Match": f'"{unit["version"]}"'},
    )  # fmt: skip
    assert moved.is_success, moved.text
    for summed_up in (False, True):
        if summed_up:
            await figures.run_until_done(office.world.service)
        rows, _ = await table(office)
        assert {code: row.get("listed", 0) for code, row in rows.items()} == {"root": 0, "d1": 0, "t1": 1, "t2": 3}


async def test_an_annulled_item_is_in_no_figure_any_more(empty_office):
    office = empty_office
    made = await a_month(office)
    await figures.run_until_done(office.world.service)
    office.at("03-11")
    await office.fire(office.admin, made["town"], "annul", reason="误列")
    rows, _ = await table(office, unit="t1", subtree="false")
    assert rows["t1"] == {"alone": True, "annulled": 1}
    (row,) = await behind(office, metric="annulled")
    assert (row["item_id"], row["day"]) == (made["town"]["id"], on("03-11"))
    assert made["town"]["id"] not in {row["item_id"] for row in await behind(office, metric="listed")}


async def test_an_erased_category_is_forgotten_by_the_figures(empty_office):
    office = empty_office
    made = await a_month(office)
    body = {"fields": ["category"], "reason": "当事人申请"}
    ok(await office.admin.post(f"/v1/items/{made['done']['id']}/redactions", json=body))
    _, total = await table(office, by="month", category="水利")
    assert total["listed"] == 1
    assert (await table(office, by="month"))[1]["listed"] == 4


# -- what is refused


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("", "/query/by", "missing"),
        ("by=village", "/query/by", "not_allowed"),
        ("by=unit&from=2026-03-02&to=2026-03-01", "/query/to", "before_first"),
        ("by=unit&from=2026-02-30", "/query/from", "bad_format"),
        ("by=unit&severity=deadly", "/query/severity/0", "not_allowed"),
        ("by=unit&whatever=1", "/query/whatever", "unknown_parameter"),
    ],
)
async def test_what_is_no_question(office, query, pointer, code):
    refused(await office.admin.get(f"/v1/statistics?{query}"), "invalid_request", (pointer, code))


@pytest.mark.parametrize(
    ("metric", "counts"),
    [
        ("claim_rate", "claimed_on_time, claims_due"), ("median_days_to_close", "closed"),
        ("p90_days_to_close", "closed"), ("overdue_begun", None), ("nothing", None),
    ],
)  # fmt: skip
async def test_only_counts_name_items(office, metric, counts):
    for tongue in ("zh", "en"):
        answer = await office.admin.get(
            "/v1/statistics/items", params={"metric": metric}, headers={"Accept-Language": tongue}
        )
        refused(answer, "invalid_request", ("/query/metric", "not_allowed"))
        # Of a figure that is no count it is said where its items are.
        assert answer.json().get("counts") == counts
        assert counts is None or counts in answer.json()["detail"]


async def test_while_figures_are_counted_anew_nobody_is_told_half_of_them(empty_office, monkeypatch):
    office = empty_office
    await a_month(office)
    await sequencer.run_until_done(office.world.service)
    tenant_id = UUID((await read(office.admin, "/v1/me"))["tenant_id"])

    async def nothing(*_):
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(figuring, "catch_up", nothing)
        with pytest.raises(InterruptedError):
            await figuring.rebuild(office.world.service, tenant_id)
    for path in ("/v1/statistics?by=unit", "/v1/statistics/items?metric=closed"):
        answer = await office.admin.get(path)
        refused(answer, "unavailable")
        assert answer.headers["retry-after"]
    await figures.run_until_done(office.world.service)
    assert (await table(office))[1]["listed"] == 4
