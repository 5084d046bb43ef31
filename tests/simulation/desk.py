"""What becomes of notices: drafts are issued or dropped, notices signed for or cancelled; some are issued by hand."""

import asyncio
from datetime import datetime
from random import Random
from uuid import UUID

from service.actions import items, notice_board, notices
from service.actions.notice_board import Narrowed
from service.actions.notices import ByHand
from service.actions.references import Named
from service.actions.service import Call, Service
from service.workflow.items import Item
from service.workflow.notices import Notice
from tests.simulation.county import TOGETHER, County
from tests.simulation.people import Tally

NEWEST = UUID(int=2**128 - 1)
KINDS = ("reminder", "urging", "supervision", "warning", "circular")


class Desk:
    """The county's people at their desks, every few working days."""

    def __init__(self, service: Service, county: County, seed: int, tally: Tally) -> None:
        self.service, self.county, self.tally = service, county, tally
        self.seed, self.random = seed, Random()

    async def work(self, now: datetime, alive: list[UUID]) -> None:
        """`alive` are items that may be the matter of a notice by hand."""
        # How much was drawn before depends on who won which race.
        self.random.seed(f"{self.seed} {now}")
        supervise, sign = Call.of(self.county.people.head, now), Call.of(self.county.people.contact, now)
        drafts = await self._page(supervise, "draft")
        issued = [notice for notice in await self._page(supervise, "issued") if notice.awaits_receipt]
        doing = []
        for draft in drafts:
            drawn = self.random.random()
            if drawn < 0.5:
                doing.append(("issue", notices.issue_draft(self.service, supervise, draft.id)))
            elif drawn < 0.6:
                doing.append(("drop", notices.cancel(self.service, supervise, draft.id, "情况已变化")))
        for notice in issued:
            drawn = self.random.random()
            if drawn < 0.4:
                doing.append(("sign", notices.sign(self.service, sign, notice.id, "张伟")))
            elif drawn < 0.43:
                doing.append(("cancel", notices.cancel(self.service, supervise, notice.id, "误发")))
        for item_id in self.random.sample(alive, min(len(alive), self.random.choice((0, 0, 1, 2)))):
            matter = (await items.read(self.service, supervise, item_id)).item
            doing.append(("by hand", notices.issue_by_hand(self.service, supervise, self._by_hand(matter))))
        for start in range(0, len(doing), TOGETHER):
            await asyncio.gather(*(self.tally.attempt(*each) for each in doing[start : start + TOGETHER]))

    async def _page(self, call: Call, state: str) -> list[Notice]:
        """The newest of a state: what nobody has touched for long stays untouched."""
        return await notice_board.page(self.service, call, Narrowed(states=(state,)), NEWEST, 25)

    def _by_hand(self, item: Item) -> ByHand:
        return ByHand(
            kind=self.random.choice(KINDS),
            unit=Named(item.responsible_unit_id, "/unit_id"),
            item_ids=(item.id,),
            text="请抓紧整改。",
            reply_by=None,
        )
