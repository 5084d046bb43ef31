async def test_an_item_goes_from_listing_to_closing(world):
    item = await world.item()
    claimed = await world.fire(world.admin, item["id"], "claim", signed_by="张三")
    assert claimed.status_code == 200, claimed.text
