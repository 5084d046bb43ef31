"""Every type of event there is, with what it says: for those who follow the feed or receive webhooks."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

EVENT_TYPES: dict[str, tuple[str, str]] = {
    "item.created": ("列入台账", "A problem was listed."),
    "item.updated": ("更正", "Facts of an item were corrected."),
    "item.progressed": ("整改进展", "Progress was reported."),
    "item.claimed": ("签字认领", "The responsible unit signed for the item."),
    "item.extended": ("延期", "The deadline was extended."),
    "item.closed": ("销号", "The item was verified and closed."),
    "item.escalated": ("约谈", "The item was escalated to an interview."),
    "item.resumed": ("约谈后整改", "Rectification goes on after the interview."),
    "item.transferred": ("转办", "Another unit is responsible now."),
    "item.reopened": ("重开", "A closed item was reopened: a new cycle."),
    "item.annulled": ("作废", "The item was annulled, or is a duplicate."),
    "item.reviewed": ("定期复核", "A standing item was reviewed; its next review day is set."),
    "item.rescheduled": ("期限重算", "A changed calendar moved the deadline."),
    "item.redacted": ("依法删除", "Personal data was lawfully erased; every proof still holds."),
    "deadline.passed": ("已超期", "The deadline passed. Once for each deadline."),
    "rung.fired": ("督办措施", "A rung of the escalation ladder was carried out."),
    "rung.skipped": ("督办措施略过", "A rung was left out; `why` says for what reason."),
    "request.submitted": ("申请", "An extension, a closure or a transfer was asked for."),
    "request.approved": ("申请批准", "A request was approved, and its trigger fired."),
    "request.returned": ("申请退回", "A request was returned with a reason."),
    "request.withdrawn": ("申请撤回", "A request was taken back."),
    "request.cancelled": ("申请失效", "Another change overtook a pending request."),
    "notice.drafted": ("督办文书拟稿", "A notice waits for a supervisor to issue it."),
    "notice.issued": ("督办文书签发", "A notice was issued and has its number."),
    "notice.receipted": ("督办文书签收", "The unit signed for a notice."),
    "notice.cancelled": ("督办文书撤销", "A notice was cancelled; it keeps its number."),
    "interview.opened": ("约谈待办", "An interview is to be held."),
    "interview.scheduled": ("约谈排期", "An interview has its time and place."),
    "interview.recorded": ("约谈记录", "An interview is on record: its day and a digest of the minutes."),
    "interview.cancelled": ("约谈取消", "An interview is not to be held any more."),
    "unit.created": ("新设单位", "A unit was added to the tree."),
    "unit.updated": ("单位变更", "A unit has another name, code or level."),
    "unit.moved": ("单位调整隶属", "A unit and its subtree hang elsewhere now."),
    "unit.deactivated": ("单位停用", "A unit is no longer in use."),
    "unit.reactivated": ("单位启用", "A unit is in use again."),
    "ledger.created": ("新设台账", "A ledger was added."),
    "ledger.updated": ("台账变更", "A ledger or its policy was changed."),
    "calendar.updated": ("日历变更", "Working days of a year were set."),
    "report.published": ("公布月报", "A month's figures were published; its digest is in the log."),
    "access.principal_created": ("新增主体", "A person or platform was added."),
    "access.principal_updated": ("主体变更", "A person or platform was changed."),
    "access.principal_removed": ("主体停用", "A person or platform was removed."),
    "access.key_created": ("新增密钥", "A key was made."),
    "access.key_revoked": ("撤销密钥", "A key was revoked."),
    "access.key_refused": ("密钥被拒", "A key was used that is expired or revoked."),
    "access.granted": ("授权", "A role was granted over a unit."),
    "access.grant_ended": ("授权终止", "A grant was ended."),
    "access.issuer_trusted": ("信任签发方", "Tokens of an OpenID provider are accepted."),
    "access.issuer_updated": ("签发方变更", "What is accepted of an OpenID provider was changed."),
    "webhook.created": ("新增推送", "A webhook was made."),
    "webhook.updated": ("推送变更", "A webhook was changed, enabled or disabled by hand."),
    "webhook.rotated": ("推送换密钥", "A webhook got a new secret; the old one signs for a day more."),
    "webhook.deleted": ("删除推送", "A webhook was deleted."),
    "webhook.disabled": ("推送自动停用", "A webhook was given up: gone, failing for five days, or without grants."),
    "channel.created": ("新增消息渠道", "A channel was made."),
    "channel.updated": ("消息渠道变更", "A channel was changed, enabled or disabled by hand."),
    "channel.deleted": ("删除消息渠道", "A channel was deleted."),
    "channel.disabled": (
        "消息渠道自动停用", "A channel was given up: its robot is gone, failing for five days, or without grants."
    ),
    "access.issuer_removed": ("停用签发方", "Tokens of an OpenID provider are no longer accepted."),
    "log.checkpoint": ("公布检查点", "A signed checkpoint of the log was published, for witnesses to keep."),
    "log.key_rotated": ("更换日志密钥", "The log is signed by another key from here on, as the old key says itself."),
}  # fmt: skip
"""By type: what it says in Chinese and in English."""


def expand(patterns: Iterable[str]) -> tuple[str, ...] | None:
    """The types that some patterns as `item.*` name; None where one of them names none."""
    found: dict[str, None] = {}
    for pattern in patterns:
        named = [type_ for type_ in EVENT_TYPES if fnmatchcase(type_, pattern)]
        if not named:
            return None
        found.update(dict.fromkeys(named))
    return tuple(found)
