from tests.api.test_lists import *
async def test_dbg(world):
    label = fresh()
    dated = await labelled(world, label, {"due_on": day(1)}, {"due_on": day(2)})
    undated = await labelled(world, label, {}, {})
    await take_deadline(world, undated)
    for extra in ({}, {"q": label}, {"external_ref": []}):
        for limit in (1, 2, 3, 50):
            for sort in ("due_on","-due_on"):
                rows=[(dated+undated).index(row["id"]) for row in await every_page(world.admin, "/v1/items", sort=sort, label=label, limit=limit, **extra)]
                print(extra, limit, sort, rows)
