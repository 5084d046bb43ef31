"""The words of the state machine: states, triggers and the small enumerations around them.

Values are plain strings: they are stored, sent and compared as they stand, and `transitions` runs on them directly.
"""

from enum import StrEnum


class State(StrEnum):
    OPEN = "open"
    RECTIFYING = "rectifying"
    EXTENDED = "extended"
    ESCALATED = "escalated"
    CLOSED = "closed"


class Trigger(StrEnum):
    CLAIM = "claim"
    EXTEND = "extend"
    CLOSE = "close"
    ESCALATE = "escalate"
    RESUME = "resume"
    TRANSFER = "transfer"
    REOPEN = "reopen"
    ANNUL = "annul"


class Resolution(StrEnum):
    RECTIFIED = "rectified"
    ANNULLED = "annulled"
    DUPLICATE = "duplicate"


class Severity(StrEnum):
    GENERAL = "general"
    SERIOUS = "serious"
    CRITICAL = "critical"


class DeadlineKind(StrEnum):
    DATE = "date"
    IMMEDIATE = "immediate"
    STANDING = "standing"


class SourceKind(StrEnum):
    INSPECTION = "inspection"
    SELF_CHECK = "self_check"
    OPINION = "opinion"
    PETITION = "petition"
    MEDIA = "media"
    MEETING = "meeting"
    ASSESSMENT = "assessment"
    AUDIT = "audit"
    OTHER = "other"


class VerificationMethod(StrEnum):
    ON_SITE = "on_site"
    HOUSEHOLD = "household"
    PHONE = "phone"
    MEETING = "meeting"
    UNANNOUNCED = "unannounced"
    DOCUMENT = "document"
    OTHER = "other"


class InterviewState(StrEnum):
    PENDING = "pending"
    SCHEDULED = "scheduled"
    RECORDED = "recorded"
    CANCELLED = "cancelled"


class RequestKind(StrEnum):
    EXTENSION = "extension"
    CLOSURE = "closure"
    TRANSFER = "transfer"


class RequestStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


class AnchorKind(StrEnum):
    """The days that rungs are counted from, in the order in which a look takes them."""

    DUE = "due"
    CLAIM_DUE = "claim_due"
    DECISION_DUE = "decision_due"
    INTERVIEW_DUE = "interview_due"


class Action(StrEnum):
    """What a rung does, from the mildest to the strongest."""

    REMIND = "remind"
    URGE = "urge"
    SUPERVISE = "supervise"
    WARN = "warn"
    CIRCULATE = "circulate"
    ESCALATE = "escalate"


class NoticeKind(StrEnum):
    REMINDER = "reminder"
    URGING = "urging"
    SUPERVISION = "supervision"
    WARNING = "warning"
    INTERVIEW = "interview"
    CIRCULAR = "circular"


class NoticeState(StrEnum):
    DRAFT = "draft"
    ISSUED = "issued"
    CANCELLED = "cancelled"


class Role(StrEnum):
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    RESPONSIBLE = "responsible"
    PLATFORM = "platform"
    VIEWER = "viewer"
    AUDITOR = "auditor"


class PrincipalKind(StrEnum):
    PERSON = "person"
    PLATFORM = "platform"


class Level(StrEnum):
    COUNTY = "county"
    TOWN = "town"
    VILLAGE = "village"
    DEPARTMENT = "department"
    OTHER = "other"


class ChannelKind(StrEnum):
    """What people are told by: the robot of a chat group, or mail."""

    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    MAIL = "mail"


class Locale(StrEnum):
    CHINESE = "zh-CN"
    ENGLISH = "en"
