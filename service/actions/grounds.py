"""What looks at items stand on, kept while a policy and a calendar are the present ones."""

from collections import OrderedDict
from zoneinfo import ZoneInfo

from service.workflow.calendar import Calendar
from service.workflow.ladder import Ground
from service.workflow.policy import Policy

_GROUNDS: OrderedDict[tuple[int, int, str], Ground] = OrderedDict()
_KEPT = 1000


def ground_of(policy: Policy, calendar: Calendar, tz: ZoneInfo) -> Ground:
    """The same ground for the same three, so that the instants it has worked out serve every item of a ledger."""
    # By identity: a ground keeps its policy and calendar alive, so no other can have their place in memory.
    key = (id(policy), id(calendar), tz.key)
    known = _GROUNDS.get(key)
    if known is None:
        known = _GROUNDS[key] = Ground(policy, calendar, tz)
        while len(_GROUNDS) > _KEPT:
            _GROUNDS.popitem(last=False)
    return known
