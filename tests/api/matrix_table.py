"""Who may do what where: for each operation and each role, the answer at five places.

Written by hand from the HTTP contract. A caller stands on the town t1 (admin and auditor on the root, the only place
where they may stand), and what the call is about lies with

    own       t1 itself
    child     t1v1, a village of it
    parent    root, the county above it
    sibling   t2, another town
    other     t1 of another tenant

An item lies with its responsible unit; nothing else is said, so the unit above supervises it: t1's own items are
supervised by the root, and only those of its villages by t1. "operation: what" says that the place is named in the body
or the query, while what stands in the path is in reach.

A number is the status. 404 is always `not_found`, 403 `forbidden`, 422 `unknown_reference`; `none` is a list (200)
without that row, where 200 is a list with it.

Where the contract leaves an order open: what a body names is looked up before the permission where the permission
depends on it (listing, hanging a unit), and else only for those who have it. A batch is judged one listing after the
other; its first is in reach.
"""

from tests.api.matrix_table_clock import CLOCK_TABLE
from tests.api.matrix_table_files import FILES_TABLE
from tests.api.matrix_table_imports import IMPORTS_TABLE

ROLES = ("admin", "supervisor", "responsible", "platform", "viewer", "auditor")
PLACES = ("own", "child", "parent", "sibling", "other")

TABLE = {
    #                   own     child   parent  sibling other
    # -- items
    "create_item": """
        admin       201     201     201     201     422
        supervisor  201     201     403     403     422
        responsible 403     403     403     403     422
        platform    201     201     403     403     422
        viewer      403     403     403     403     422
        auditor     403     403     403     403     422
    """,
    "create_item: supervising unit": """
        admin       201     201     201     201     422
        supervisor  201     201     422     422     422
        responsible 403     403     422     422     422
        platform    201     201     422     422     422
        viewer      403     403     422     422     422
        auditor     403     403     403     403     422
    """,
    "create_item: co-unit": """
        admin       201     201     201     201     422
        supervisor  201     201     201     201     422
        responsible 403     403     403     403     422
        platform    201     201     201     201     422
        viewer      403     403     403     403     422
        auditor     403     403     403     403     422
    """,
    "create_item: ledger": """
        admin       201     201     201     201     422
        supervisor  201     201     201     201     422
        responsible 403     403     403     403     422
        platform    201     201     201     201     422
        viewer      403     403     403     403     422
        auditor     403     403     403     403     422
    """,
    "create_items": """
        admin       201     201     201     201     422
        supervisor  201     201     403     403     422
        responsible 403     403     403     403     403
        platform    201     201     403     403     422
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_items": """
        admin       200     200     200     200     none
        supervisor  200     200     none    none    none
        responsible 200     200     none    none    none
        platform    200     200     none    none    none
        viewer      200     200     none    none    none
        auditor     200     200     200     200     none
    """,
    "list_items: unit": """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 200     200     422     422     422
        platform    200     200     422     422     422
        viewer      200     200     422     422     422
        auditor     200     200     200     200     422
    """,
    "list_items: supervising unit": """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 200     200     422     422     422
        platform    200     200     422     422     422
        viewer      200     200     422     422     422
        auditor     200     200     200     200     422
    """,
    "list_items: ledger": """
        admin       200     200     200     200     422
        supervisor  200     200     200     200     422
        responsible 200     200     200     200     422
        platform    200     200     200     200     422
        viewer      200     200     200     200     422
        auditor     200     200     200     200     422
    """,
    "list_overdue": """
        admin       200     200     200     200     none
        supervisor  200     200     none    none    none
        responsible 200     200     none    none    none
        platform    200     200     none    none    none
        viewer      200     200     none    none    none
        auditor     200     200     200     200     none
    """,
    "get_item": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "update_item": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "update_item: measures": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 200     200     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "update_item: co-unit": """
        admin       200     200     200     200     422
        supervisor  200     200     200     200     422
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_item_redaction": """
        admin       200     200     200     200     404
        supervisor  403     403     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "delete_item_contact": """
        admin       204     204     204     204     404
        supervisor  403     403     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "list_item_events": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "list_item_transitions": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "list_item_progress": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "create_item_progress": """
        admin       201     201     201     201     404
        supervisor  201     201     404     404     404
        responsible 201     201     404     404     404
        platform    201     201     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "create_attachment": """
        admin       201     201     201     201     201
        supervisor  201     201     201     201     201
        responsible 201     201     201     201     201
        platform    201     201     201     201     201
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "get_attachment": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "get_attachment_content": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "list_item_attachments": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "create_item_transition: claim": """
        admin       200     200     200     200     404
        supervisor  403     403     404     404     404
        responsible 200     200     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "create_item_transition: extend": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "create_item_transition: close": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "create_item_transition: escalate": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "create_item_transition: resume": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "create_item_transition: transfer": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "create_item_transition: reopen": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "create_item_transition: annul": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "create_item_transition: transfer to": """
        admin       200     200     200     200     422
        supervisor  200     200     200     200     422
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_item_transition: transfer under": """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_item_transition: duplicate of": """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    # -- interviews
    "list_interviews": """
        admin       200     200     200     200     none
        supervisor  200     200     none    none    none
        responsible 200     200     none    none    none
        platform    200     200     none    none    none
        viewer      200     200     none    none    none
        auditor     200     200     200     200     none
    """,
    "get_interview": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "record_interview": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    # -- ledgers: every principal of the tenant reads them, wherever it stands
    "create_ledger": """
        admin       201     201     201     201     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_ledgers": """
        admin       200     200     200     200     none
        supervisor  200     200     200     200     none
        responsible 200     200     200     200     none
        platform    200     200     200     200     none
        viewer      200     200     200     200     none
        auditor     200     200     200     200     none
    """,
    "get_ledger": """
        admin       200     200     200     200     404
        supervisor  200     200     200     200     404
        responsible 200     200     200     200     404
        platform    200     200     200     200     404
        viewer      200     200     200     200     404
        auditor     200     200     200     200     404
    """,
    "update_ledger": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     404
        responsible 403     403     403     403     404
        platform    403     403     403     403     404
        viewer      403     403     403     403     404
        auditor     403     403     403     403     404
    """,
    "update_ledger: owner": """
        admin       200     200     200     200     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    # -- calendars: they belong to the tenant, and each caller asks for its own
    "get_calendar": """
        admin       200     200     200     200     200
        supervisor  200     200     200     200     200
        responsible 200     200     200     200     200
        platform    200     200     200     200     200
        viewer      200     200     200     200     200
        auditor     200     200     200     200     200
    """,
    "update_calendar": """
        admin       200     200     200     200     200
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    # -- units
    "create_unit": """
        admin       201     201     201     201     422
        supervisor  403     403     422     422     422
        responsible 403     403     422     422     422
        platform    403     403     422     422     422
        viewer      403     403     422     422     422
        auditor     403     403     403     403     422
    """,
    # A table names parents by code, which is looked for in the caller's own tenant only: t1 is there too.
    "import_units": """
        admin       200     200     200     200     200
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_units": """
        admin       200     200     200     200     none
        supervisor  200     200     none    none    none
        responsible 200     200     none    none    none
        platform    200     200     none    none    none
        viewer      200     200     none    none    none
        auditor     200     200     200     200     none
    """,
    "get_unit": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "update_unit": """
        admin       200     200     200     200     404
        supervisor  403     403     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "update_unit: parent": """
        admin       200     200     200     200     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "update_unit: heir": """
        admin       200     200     200     200     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "get_unit_tree": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "list_units: parent": """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 200     200     422     422     422
        platform    200     200     422     422     422
        viewer      200     200     422     422     422
        auditor     200     200     200     200     422
    """,
    # -- hooks: made and ended as the grants they are, read where their unit is
    "create_unit_hook": """
        admin       201     201     201     201     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_unit_hook: department": """
        admin       201     201     201     201     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_unit_hook: leader": """
        admin       201     201     201     201     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_unit_hooks": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "list_hooks": """
        admin       200     200     200     200     none
        supervisor  200     200     none    none    none
        responsible 200     200     none    none    none
        platform    200     200     none    none    none
        viewer      200     200     none    none    none
        auditor     200     200     200     200     none
    """,
    "list_hooks: unit": """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 200     200     422     422     422
        platform    200     200     422     422     422
        viewer      200     200     422     422     422
        auditor     200     200     200     200     422
    """,
    "list_hooks: department": """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 200     200     422     422     422
        platform    200     200     422     422     422
        viewer      200     200     422     422     422
        auditor     200     200     200     200     422
    """,
    "end_hook": """
        admin       204     204     204     204     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    # -- issuers: they belong to the tenant
    "create_issuer": """
        admin       201     201     201     201     201
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_issuers": """
        admin       200     200     200     200     none
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     200     200     200     200     none
    """,
    "get_issuer": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     200     200     200     200     404
    """,
    "update_issuer": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "delete_issuer": """
        admin       204     204     204     204     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    # -- webhooks: a platform manages its own, and those of this table are the admin's
    "create_webhook": """
        admin       201     201     201     201     201
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    201     201     201     201     201
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_webhook: unit": """
        admin       201     201     201     201     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    201     201     422     422     422
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_webhooks": """
        admin       200     200     200     200     none
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    none    none    none    none    none
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "get_webhook": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "update_webhook": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "delete_webhook": """
        admin       204     204     204     204     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_webhook_secret": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_webhook_ping": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_webhook_replay": """
        admin       202     202     202     202     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_webhook_deliveries": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    # -- channels: as webhooks, and the unit is always named
    "create_channel": """
        admin       201     201     201     201     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    201     201     422     422     422
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_channels": """
        admin       200     200     200     200     none
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    none    none    none    none    none
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "get_channel": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "update_channel": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "update_channel: unit": """
        admin       200     200     200     200     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "delete_channel": """
        admin       204     204     204     204     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_channel_ping": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_channel_replay": """
        admin       202     202     202     202     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_channel_deliveries": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    404     404     404     404     404
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    # -- principals, keys, grants: whose they are and where they stand makes no difference
    "create_principal": """
        admin       201     201     201     201     201
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_principal: login": """
        admin       201     201     201     201     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_principals": """
        admin       200     200     200     200     none
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     200     200     200     200     none
    """,
    "get_principal": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     200     200     200     200     404
    """,
    "update_principal": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "update_principal: delegates": """
        admin       200     200     200     200     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "delete_principal": """
        admin       204     204     204     204     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_principal_key": """
        admin       201     201     201     201     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_principal_keys": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     200     200     200     200     404
    """,
    "revoke_principal_key": """
        admin       204     204     204     204     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_principal_grant": """
        admin       201     201     201     201     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "create_principal_grant: unit": """
        admin       201     201     201     201     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_principal_grants": """
        admin       200     200     200     200     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     200     200     200     200     404
    """,
    "end_principal_grant": """
        admin       204     204     204     204     404
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    # -- the log, which is the tenant's, wherever one looks from
    "list_events": """
        admin       200     200     200     200     200
        supervisor  200     200     200     200     200
        responsible 200     200     200     200     200
        platform    200     200     200     200     200
        viewer      200     200     200     200     200
        auditor     200     200     200     200     200
    """,
    "list_events: unit": """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 200     200     422     422     422
        platform    200     200     422     422     422
        viewer      200     200     422     422     422
        auditor     200     200     200     200     422
    """,
    # -- statistics; without a unit they are about the caller's own scope
    "get_statistics": """
        admin       200     200     200     200     200
        supervisor  200     200     200     200     200
        responsible 200     200     200     200     200
        platform    200     200     200     200     200
        viewer      200     200     200     200     200
        auditor     200     200     200     200     200
    """,
    "get_statistics: unit": """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 200     200     422     422     422
        platform    200     200     422     422     422
        viewer      200     200     422     422     422
        auditor     200     200     200     200     422
    """,
    "get_statistics: ledger": """
        admin       200     200     200     200     422
        supervisor  200     200     200     200     422
        responsible 200     200     200     200     422
        platform    200     200     200     200     422
        viewer      200     200     200     200     422
        auditor     200     200     200     200     422
    """,
    "get_statistics_items": """
        admin       200     200     200     200     200
        supervisor  200     200     200     200     200
        responsible 200     200     200     200     200
        platform    200     200     200     200     200
        viewer      200     200     200     200     200
        auditor     200     200     200     200     200
    """,
    "get_statistics_items: unit": """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 200     200     422     422     422
        platform    200     200     422     422     422
        viewer      200     200     422     422     422
        auditor     200     200     200     200     422
    """,
    "get_statistics_items: ledger": """
        admin       200     200     200     200     422
        supervisor  200     200     200     200     422
        responsible 200     200     200     200     422
        platform    200     200     200     200     422
        viewer      200     200     200     200     422
        auditor     200     200     200     200     422
    """,
    "create_report": """
        admin       201     201     201     201     422
        supervisor  201     201     422     422     422
        responsible 403     403     422     422     422
        platform    403     403     422     422     422
        viewer      403     403     422     422     422
        auditor     403     403     403     403     422
    """,
    "create_report: ledger": """
        admin       201     201     201     201     422
        supervisor  201     201     201     201     422
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_reports": """
        admin       200     200     200     200     none
        supervisor  200     200     none     none     none
        responsible 200     200     none     none     none
        platform    200     200     none     none     none
        viewer      200     200     none     none     none
        auditor     200     200     200     200     none
    """,
    "list_reports: unit": """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 200     200     422     422     422
        platform    200     200     422     422     422
        viewer      200     200     422     422     422
        auditor     200     200     200     200     422
    """,
    "list_reports: ledger": """
        admin       200     200     200     200     422
        supervisor  200     200     200     200     422
        responsible 200     200     200     200     422
        platform    200     200     200     200     422
        viewer      200     200     200     200     422
        auditor     200     200     200     200     422
    """,
    "get_report": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "get_report_xlsx": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "get_report_corrections": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "get_log_checkpoint": """
        admin       200     200     200     200     200
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     200     200     200     200     200
    """,
    "get_log_inclusion": """
        admin       200     200     200     200     200
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     200     200     200     200     200
    """,
    "get_log_consistency": """
        admin       200     200     200     200     200
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     200     200     200     200     200
    """,
    "get_log_receipt": """
        admin       200     200     200     200     200
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     200     200     200     200     200
    """,
    "create_log_checkpoint": """
        admin       201     201     201     201     201
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    # -- oneself, which lies nowhere
    "get_me": """
        admin       200     200     200     200     200
        supervisor  200     200     200     200     200
        responsible 200     200     200     200     200
        platform    200     200     200     200     200
        viewer      200     200     200     200     200
        auditor     200     200     200     200     200
    """,
}

TABLE |= CLOCK_TABLE | IMPORTS_TABLE
TABLE |= CLOCK_TABLE | FILES_TABLE

WITHOUT_CALLER = {"get_livez", "get_readyz", "get_metrics", "get_problem", "get_log_key"}
"""Operations that answer without a credential: nobody's unit plays a part."""

ENDLESS = {"stream_events"}
"""Answers that do not end; who sees what in one is what `list_events` shows, and is tried on a real port."""
