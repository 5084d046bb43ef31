"""Every refusal the service can give, as plain data: its code, its HTTP status, its words in two languages.

A refusal is an answer, not an accident: rules raise `Refused` with a code from here and the facts that explain it,
and api/problems.py writes it down as problem+json. `docs` and `/problems/{code}` are made from the same tables.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in the two languages of the service; `{name}` is filled from the refusal's facts."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ProblemKind:
    status: int
    title: Text
    detail: Text


PROBLEMS: dict[str, ProblemKind] = {
    "invalid_request": ProblemKind(
        422,
        Text("请求内容有误", "The request is not valid"),
        Text("有字段缺失、格式不对或超出范围，见 errors。", "A field is missing, malformed or out of range."),
    ),
    "unauthenticated": ProblemKind(
        401,
        Text("未通过身份认证", "Not authenticated"),
        Text("请在 Authorization 头中提供有效的密钥或令牌。", "Send a valid key or token in the Authorization header."),
    ),
    "forbidden": ProblemKind(
        403,
        Text("没有权限", "Not permitted"),
        Text("您在此范围内没有这项权限。", "You may see this, but your grants do not allow this action."),
    ),
    "not_found": ProblemKind(
        404,
        Text("不存在", "Not found"),
        Text("不存在，或不在您的授权范围内。", "It does not exist, or it lies outside your scope."),
    ),
    "method_not_allowed": ProblemKind(
        405,
        Text("不支持的方法", "Method not allowed"),
        Text("该地址不支持这种请求方法。", "This address does not answer that method."),
    ),
    "conflict": ProblemKind(
        409,
        Text("与现有数据冲突", "Conflict"),
        Text("与已有记录冲突。", "It conflicts with what is already there."),
    ),
    "gone": ProblemKind(
        410,
        Text("已依法删除", "Lawfully erased"),
        Text("该附件的内容已依法删除，记录仍在。", "Its bytes were lawfully erased; the record of them stays."),
    ),
    "invalid_transition": ProblemKind(
        409,
        Text("当前状态不允许该操作", "The present state does not accept this trigger"),
        Text("条目处于 {state} 状态，不接受 {trigger}。", "The item is {state}; it does not accept {trigger}."),
    ),
    "guard_refused": ProblemKind(
        409,
        Text("不满足办理条件", "A rule refuses this"),
        Text("不满足规则 {guard}。", "The rule {guard} is not met."),
    ),
    "idempotency_in_flight": ProblemKind(
        409,
        Text("同一请求正在处理", "The same request is still running"),
        Text("带同一 Idempotency-Key 的请求还在处理，请稍后重试。", "A request with this Idempotency-Key is running."),
    ),
    "stale_version": ProblemKind(
        412,
        Text("版本已过期", "The version is stale"),
        Text("该记录已被他人修改，请重新读取后再试。", "It was changed meanwhile; read it again and retry."),
    ),
    "payload_too_large": ProblemKind(
        413,
        Text("请求体过大", "The payload is too large"),
        Text("请求体超过 {limit} 字节。", "The body is larger than {limit} bytes."),
    ),
    "quota_exceeded": ProblemKind(
        413,
        Text("附件空间已用完", "The quota is used up"),
        Text(
            "附件总量上限 {quota} 字节，已用 {used} 字节，放不下 {size} 字节。",
            "Attachments may take {quota} bytes, {used} are taken: there is no room for {size} more.",
        ),
    ),
    "range_not_satisfiable": ProblemKind(
        416,
        Text("请求的范围无法满足", "The range cannot be satisfied"),
        Text("文件只有 {size} 字节。", "The file has {size} bytes."),
    ),
    "unsupported_media_type": ProblemKind(
        415,
        Text("不支持的内容类型", "Unsupported media type"),
        Text(
            "请以 application/json 发送；文件以 multipart/form-data 发送。",
            "Send JSON as application/json, and a file as multipart/form-data.",
        ),
    ),
    "idempotency_key_reused": ProblemKind(
        422,
        Text("Idempotency-Key 已被另一请求使用", "The Idempotency-Key was used for another request"),
        Text("同一 Idempotency-Key 不能用于不同的请求。", "One Idempotency-Key stands for one request only."),
    ),
    "precondition_required": ProblemKind(
        428,
        Text("缺少 If-Match", "If-Match is required"),
        Text("请带上读取时得到的 ETag。", "Send the ETag you read as If-Match."),
    ),
    "rate_limited": ProblemKind(
        429,
        Text("请求过于频繁", "Too many requests"),
        Text("请在 Retry-After 之后重试。", "Try again after Retry-After."),
    ),
    "internal": ProblemKind(
        500,
        Text("服务内部错误", "Internal error"),
        Text("已记录，请凭 request_id 联系运维人员。", "It was logged; quote the request_id to the operator."),
    ),
    "printing_unavailable": ProblemKind(
        503,
        Text("暂不能打印", "Printing is not available"),
        Text("服务端缺少打印所需的字体或模板。", "The service lacks a font or a usable template for it."),
    ),
    "unavailable": ProblemKind(
        503,
        Text("服务暂不可用", "Temporarily unavailable"),
        Text("请在 Retry-After 之后重试。", "Try again after Retry-After."),
    ),
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with the input. `pointer` is an RFC 6901 pointer into the body, or `/query/<name>`."""

    pointer: str
    code: str


class Refused(Exception):
    """The service refuses. `reason` names a sentence of reasons.py; `facts` fill it and join the answer."""

    def __init__(
        self,
        code: str,
        reason: str | None = None,
        facts: dict[str, Any] | None = None,
        errors: tuple[FieldError, ...] = (),
    ) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
        self.facts = facts or {}
        self.errors = errors


def invalid(*errors: tuple[str, str]) -> Refused:
    """`invalid_request` with one (pointer, code) for each thing wrong."""
    return Refused("invalid_request", errors=tuple(FieldError(pointer, code) for pointer, code in errors))


def guard(name: str, **facts: Any) -> Refused:
    """`guard_refused`: the rule `name` of the domain is not met."""
    return Refused("guard_refused", name, {"guard": name, **facts})


def forbidden(reason: str | None = None) -> Refused:
    return Refused("forbidden", reason)
