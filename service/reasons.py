"""Why something is refused, in the two languages of the service: a sentence for each reason that a rule, a field or a
row can give. Which refusal it explains stands in wording.py."""

from service.errors import Text

GUARDS: dict[str, Text] = {
    "later_deadline": Text(
        "新的期限必须晚于今天，也晚于现期限 {present}。",
        "The deadline must be later than today and than {present}.",
    ),
    "not_before_today": Text("期限不能早于今天 {today}。", "The deadline must not lie before today, {today}."),
    "not_standing": Text("长期坚持的条目不办理延期。", "Standing items are not extended."),
    "extension_count": Text("本轮延期次数已用完（最多 {max} 次）。", "This cycle's {max} extensions are used up."),
    "extension_days": Text(
        "本轮累计延期 {total} 天，超过上限 {max} 天。",
        "The cycle would be extended by {total} days; {max} are allowed.",
    ),
    "evidence": Text(
        "至少需要 {needed} 项整改佐证，现有 {present} 项。",
        "Of {needed} pieces of evidence needed, {present} are there.",
    ),
    "four_eyes": Text(
        "办理人本轮认领过、申请过销号或代表责任方填报过进展，须由他人办理。",
        "You claimed this item, asked for its closure or reported progress on it in this cycle: another must act.",
    ),
    "interview_recorded": Text("约谈尚未记录。", "The interview is not on record yet."),
    "signature": Text("该条目从未认领，须有签字人 signed_by。", "The item was never claimed: signed_by is needed."),
    "other_unit": Text("新的责任单位与原单位相同。", "The new responsible unit is the present one."),
    "supervising_unit": Text(
        "督办单位不能是责任单位本身或其下级。", "The supervising unit must not be the responsible unit or lie below it."
    ),
    "was_rectified": Text("只有按整改销号的条目可以重开。", "Only an item closed as rectified can be reopened."),
    "annul_by_other": Text(
        "已逾期、约谈或超期未认领的条目，不能由列入人作废。",
        "An overdue, escalated or late unclaimed item is not annulled by the one who listed it.",
    ),
    "annul_by_higher": Text(
        "已逾期、约谈或超期未认领的条目，须由督办单位的上级作废。",
        "An overdue, escalated or late unclaimed item is annulled by a level above the supervising unit.",
    ),
    "duplicate_target": Text(
        "所指的重复条目须是另一条，且本身未作废、不是重复。",
        "duplicate_of must be another item that is itself neither annulled nor a duplicate.",
    ),
    "deadline_fixed": Text(
        "条目已认领，期限只能经办理动作变更。", "Once claimed, only triggers move the deadline, not corrections."
    ),
    "root_only": Text("角色 {role} 只能授予根单位。", "The role {role} is granted on the root unit only."),
    "role_for_kind": Text("{kind} 类主体不能担任 {role}。", "A {kind} does not hold the role {role}."),
    "delegate_platform": Text("只有平台的密钥可以代他人办理。", "Only a platform's key may act for people."),
    "delegates_of_person": Text("只有个人可以由平台代办。", "Platforms act for people only."),
    "cycle": Text("单位不能移到自己或自己的下级之下。", "A unit cannot hang under itself or under what lies below it."),
    "root_stays": Text(
        "根单位不能移动、停用或更换编码。", "The root unit keeps its place and its code, and does not end."
    ),
    "active_children": Text("该单位还有未停用的下级单位。", "The unit has active units directly below it."),
    "open_items": Text(
        "还有 {count} 条未销号的条目由该单位负责、督办或协办：请先办结，或以 transfer_to 指明承接单位。",
        "The unit is responsible for, supervises or takes part in {count} open items: close them, or name transfer_to.",
    ),
    "escalated_items": Text(
        "有 {count} 条处于约谈状态，不能转办：请先完成约谈。",
        "{count} of its items are escalated and cannot be transferred: hold their interviews first.",
    ),
    "too_many_items": Text(
        "有 {count} 条未销号的条目，一次最多转办 {max} 条：请先分批转办。",
        "The unit has {count} open items; {max} are handed over at once at most: transfer some of them first.",
    ),
    "inactive_unit": Text("该单位已停用。", "The unit is not active."),
    "hook_apart": Text("单位不能与自己挂钩。", "A department is not assigned to itself."),
    "inactive_parent": Text("其上级单位已停用。", "The unit above it is not active."),
    "apply_before": Text("申请延期的最后日期是 {until}，已经过了。", "An extension had to be asked for by {until}."),
    "standing_only": Text("只有长期坚持的条目办理复查。", "Only standing items are reviewed."),
    "awaits_receipt": Text(
        "该文书未下发、已签收或无须签收。", "The notice is not issued, signed for already, or needs no receipt."
    ),
    "notice_draft": Text("该文书不是待签发的草稿。", "The notice is no draft."),
    "notice_cancelled": Text("该文书已撤销。", "The notice is cancelled already."),
    "notice_moot": Text(
        "所涉条目均已办结或转走，请撤销该草稿。", "Its items are closed or went to another unit: cancel the draft."
    ),
    "interview_pending": Text("约谈已记录或已取消。", "The interview is already recorded or cancelled."),
}

FORBIDDEN: dict[str, Text] = {
    "claim": Text("只有责任单位可以办理。", "Only the responsible unit may do this."),
    "decide": Text("只有督办单位可以办理。", "Only the supervising unit may do this."),
    "higher_level": Text("须由督办单位的上级办理。", "A level above the supervising unit must do this."),
    "owner_listing": Text("该台账只允许主管单位列入条目。", "Only the unit that owns this ledger lists items in it."),
    "attachments": Text("您没有上传附件的权限。", "Your grants do not allow uploading attachments."),
    "access": Text("只有管理员可以管理主体、密钥和授权。", "Principals, keys and grants are for admins."),
    "webhooks": Text("只有平台和管理员可以管理推送和消息渠道。", "Webhooks and channels are for platforms and admins."),
    "delegate": Text("该密钥不能代他人办理。", "This key may not act for other people."),
    "acting_for": Text(
        "没有这个人，或其未同意由您的平台代办。", "There is no such person, or your platform may not act for them."
    ),
    "import_units": Text("只有管理员可以在导入时新建单位。", "Only admins make units of what an import names."),
    "backdating": Text(
        "只有管理员和督办人员可以补录 listed_at 或 closed。", "Only admins and supervisors may set listed_at or closed."
    ),
    "erasure": Text("只有管理员可以依法删除。", "Lawful erasure is for admins."),
    "checkpoints": Text("只有管理员可以公布检查点。", "Checkpoints are published by admins."),
    "figures": Text(
        "只有管理员和该单位的督办人员可以公布月报。", "A month is published by admins and by supervisors over the unit."
    ),
    "job_grants": Text(
        "您的授权已变更，这份结果是按原来的授权生成的，请重新办理。",
        "Your grants are others than those by which this was made: begin it again.",
    ),
    "log": Text("只有管理员和审计员可以查验纪实日志。", "The log is for admin and auditor."),
    "csrf": Text(
        "表单不是从本系统的页面提交的，或登录已更换：请重新打开页面再试。",
        "The form did not come from a page of this session: open the page again.",
    ),
    "own_fields": Text(
        "责任单位只能更正 measures 和 responsible_person。",
        "The responsible side corrects measures and responsible_person only.",
    ),
}

MEDIA: dict[str, Text] = {
    "content": Text(
        "按内容识别，该文件不属于可接受的类型（照片、扫描件、短视频、PDF、OFD、Office 或 WPS 文档），或已损坏。",
        "By what stands in it the file is of no kind that is taken (photos, scans, short films, PDF, OFD, documents of "
        "Office or WPS), or it is damaged.",
    ),
    "macros": Text(
        "含宏的文档不能作为附件，请另存为不含宏的文档或 PDF。", "A document with macros is not taken: save it without."
    ),
    "upload": Text(
        "请以 multipart/form-data 上传，或以 application/octet-stream 直接发送文件内容。",
        "Upload as multipart/form-data, or send the file itself as application/octet-stream.",
    ),
}

CREDENTIALS: dict[str, Text] = {
    "invalid_token": Text(
        "令牌无效、已过期，或其签发方不受信任。", "The token is not valid, has expired, or its issuer is not trusted."
    ),
}

FIELDS: dict[str, Text] = {
    "missing": Text("必填", "This field is required."),
    "unknown_field": Text("没有这个字段", "There is no such field."),
    "wrong_type": Text("类型不对", "The value has the wrong type."),
    "bad_format": Text("格式不对", "The value is malformed."),
    "too_long": Text("太长", "The value is too long."),
    "too_short": Text("太短", "The value is too short."),
    "out_of_range": Text("超出范围", "The value is out of range."),
    "not_allowed": Text("不是允许的取值", "The value is not one of those allowed."),
    "control_char": Text("含有不允许的控制字符", "The value has control characters that are not allowed."),
    "not_json": Text("请求体不是有效的 UTF-8 JSON", "The body is not valid UTF-8 JSON."),
    "unknown_reference": Text("所指对象不存在或不在您的范围内", "What it refers to does not exist or is out of scope."),
    "unknown_parameter": Text("没有这个查询参数", "There is no such query parameter."),
    "bad_cursor": Text("游标无效，或不属于这次查询", "The cursor is not valid for this query."),
    "already_attached": Text("该附件已用于其他记录，请重新上传", "It hangs on something already: upload it anew."),
    "needs_attachments": Text(
        "只能与 fields 中的 attachments 一起给出", "Given only together with attachments in fields."
    ),
    "in_future": Text("不能晚于今天", "The date must not lie in the future."),
    "before_opening": Text("不能早于约谈发起日期", "The date must not lie before the talk was called for."),
    "before_listing": Text("不能早于列入日期", "The date must not lie before the listing."),
    "in_past": Text("不能早于今天", "The date must not lie in the past."),
    "before_first": Text("不能早于起始日期", "The last day must not lie before the first."),
    "other_year": Text("不在该年份之内", "The date does not lie in that year."),
    "unreadable": Text("文件无法读取，须为 .xlsx、.xls 或 CSV", "The file is no .xlsx, .xls or CSV that can be read."),
    "no_header": Text(
        "没有找到表头：须有编码、名称和上级编码", "There is no row of headings that names code, name and parent."
    ),
    "no_ledger_header": Text(
        "没有找到台账表头：须有问题一列，以及责任单位、时限等至少一列",
        "There is no row of headings that names a problem and something beside it.",
    ),
    "wrong_extension": Text(
        "文件内容与扩展名不符，须为 .xlsx、.xls 或 .csv", "The file is not what its name says: .xlsx, .xls or .csv."
    ),
    "macros": Text("文件含有宏，不予读取", "The file has macros."),
    "external_links": Text("文件含有外部链接，不予读取", "The file has links to other files."),
    "entities": Text("文件含有 XML 实体声明，不予读取", "The file declares XML entities."),
    "protected_file": Text("文件有密码保护，请先取消", "The file is protected by a password."),
    "zip_bomb": Text("文件解压后过大，不予读取", "The file unpacks to far more than a table."),
    "too_slow": Text("文件读取超时，不予读取", "Reading the file takes too long."),
    "unknown_column": Text(
        "须为 列名=字段，字段为空表示不取这一列", "A column is given as heading=field; an empty field leaves it out."
    ),
    "cycle": Text("上级关系成环", "The unit would hang under itself."),
    "needs_pending": Text("只能与 status=pending 一起给出", "Given only together with status=pending."),
    "needs_approval": Text("只能与 verdict: approve 一起给出", "Given only together with verdict: approve."),
    "other_unit": Text("不属于同一责任单位和督办单位", "It is not of the same responsible and supervising unit."),
    "other_ledger": Text("不属于同一台账", "It is not of the same ledger."),
    "closed_item": Text("该条目已销号", "The item is closed."),
    "needs_inactive": Text("只能与 active: false 一起给出", "Given only together with active: false."),
    "one_of_two": Text("两个字段只能给一个", "Give one of the two fields, not both."),
    "repeated": Text("重复", "The value stands twice."),
    "conflicts_with_policy": Text("与规则的其余部分不一致", "The value contradicts the rest of the policy."),
    "forbidden_address": Text(
        "不允许访问该地址（内网、本机或元数据地址，或未加密的 http）",
        "The service does not call this address: it is private, local or metadata, or plain http.",
    ),
    "other_kind": Text("该类渠道没有这个字段", "A channel of this kind has no such field."),
    "no_mail_server": Text(
        "服务未配置邮件服务器，须由运维人员设置 XIAOHAO_SMTP_URL 和 XIAOHAO_SMTP_FROM",
        "No mail server is configured: the operator sets XIAOHAO_SMTP_URL and XIAOHAO_SMTP_FROM.",
    ),
    "too_complex": Text("嵌套或数值超出允许范围", "The value is nested too deeply or holds a number out of range."),
}

ROW_FAULTS: dict[str, Text] = {
    "missing_problem": Text("没有问题内容", "There is no problem."),
    "missing_unit": Text("没有责任单位", "There is no responsible unit."),
    "unknown_unit": Text("找不到单位：{about}", "There is no such unit: {about}"),
    "ambiguous_unit": Text(
        "有多个单位叫这个名称，请改用编码：{about}", "Several units are called that; give the code: {about}"
    ),
    "collective_unit": Text(
        "须写明具体单位，不能用统称：{about}", "A unit must be named; this means whoever is concerned: {about}"
    ),
    "invalid_date": Text("日期不存在，或晚于今天", "The date does not exist, or it lies in the future."),
    "duplicate": Text("与第 {about} 行同单位、同问题、同时限", "Row {about} has the same unit, problem and deadline."),
    "formula_cell": Text("单元格是公式，请粘贴为数值", "The cell is a formula; paste its value instead."),
    "control_char": Text("含有控制字符或零宽字符", "The cell has control or zero-width characters."),
    "too_long": Text("太长", "It is too long."),
    "column_count": Text("列数与表头不符", "The row has another number of columns than the headings."),
    "forbidden": Text(
        "您不能在该单位列入，或不能补录已销号、往日列入的条目", "You may not list this here, or not in the past."
    ),
    "no_deadline": Text("没有时限，按台账规则计算", "There is no deadline; the ledger's limit counts."),
    "year_missing": Text("时限没有年份，按台账规则计算", "The deadline has no year; the ledger's limit counts."),
    "deadline_words": Text("时限须人工核对（{about}）", "Somebody should look at the deadline ({about})."),
    "formula_like_text": Text(
        "文字以公式符号开头，已按文字保存", "The text begins like a formula; it is kept as text."
    ),
    "personal_data": Text("疑似含有手机号或身份证号", "There seems to be a phone or ID card number."),
    "needs_decision": Text("须由督办单位办理，导入不改", "This takes a decision; an import does not change it."),
}
"""What is said about a row of an imported ledger: why it is refused, or what somebody should look at."""

CONFLICTS: dict[str, Text] = {
    "external_ref": Text("该 external_ref 已登记过。", "This external_ref is listed already."),
    "code_taken": Text("该编码已被使用。", "This code is taken."),
    "external_id": Text("该 external_id 已属于另一主体。", "This external_id belongs to another principal."),
    "subject": Text("该登录身份已属于另一主体。", "This issuer and subject belong to another principal."),
    "issuer_taken": Text(
        "该 issuer 和 audience 已被登记。", "This issuer and audience are trusted already, here or by another tenant."
    ),
    "issuer_removed": Text("该 issuer 已停用，请重新登记。", "The issuer was removed; create it again."),
    "pending_request": Text("同类申请正在等待审批。", "A request of this kind is pending already."),
    "job_unfinished": Text("该任务尚未完成，请稍后再取。", "The job is not done yet: ask how far it is."),
    "job_failed": Text("该任务未能完成，请重新办理。", "The job failed: begin it again."),
    "decided": Text("该申请已审批、撤回或取消。", "The request is decided, withdrawn or cancelled already."),
    "inactive": Text("该主体已停用。", "The principal was removed."),
    "webhook_disabled": Text("该推送已停用，请先启用。", "The webhook is disabled; enable it first."),
    "published": Text("该月月报已公布。", "This month is published already."),
    "channel_disabled": Text("该渠道已停用，请先启用。", "The channel is disabled; enable it first."),
    "oneself": Text("不能停用自己，也不能撤销自己的管理权限。", "You cannot remove yourself or your own admin grant."),
}

INVALID: dict[str, Text] = {
    "no_count": Text(
        "{figure} 不是计数，没有自己的明细：请查询构成它的 {counts}。",
        "{figure} is no count and has no items of its own: ask for what it is made of, {counts}.",
    ),
}

UNAVAILABLE: dict[str, Text] = {
    "month_not_counted": Text(
        "该月末的到期情况尚未全部计入，请在 Retry-After 之后重试；长时间如此，请联系运维人员检查后台任务。",
        "What fell due by the month's end is not all counted yet: try again after Retry-After. If that lasts, the "
        "operator should look at the workers.",
    ),
}

PRINTING: dict[str, Text] = {
    "no_font": Text(
        "服务器没有中文字体：请安装软件包 fonts-noto-cjk（apt install fonts-noto-cjk），"
        "或用 XIAOHAO_FONTS_DIR 指定字体目录。",
        "The server has no font for Chinese: install the package fonts-noto-cjk (apt install fonts-noto-cjk), or name "
        "a directory of fonts with XIAOHAO_FONTS_DIR.",
    ),
    "template": Text(
        "本单位的模板 {template} 不能使用：{fault}，第 {line} 行；写法见 docs/letters.md。",
        "The office's own template {template} cannot be used: {fault}, line {line}; see docs/letters.md.",
    ),
    "overrun": Text(
        "该文书过大，超出打印所限的时间或内存。", "The document takes more time or memory than printing one may."
    ),
}
