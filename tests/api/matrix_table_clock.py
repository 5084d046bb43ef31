"""Who may do what where about requests, notices, interviews and the clock: rows of the table in matrix_table.py.

What is overdue is listed for whoever sees it. A notice is addressed to the place's unit; the copy of one lies at the
place in "create_notice: copy", where the notice itself goes to a village in reach.
"""

CLOCK_TABLE = {
    #                   own     child   parent  sibling other
    # -- requests
    "list_requests": """
        admin       200     200     200     200     none
        supervisor  200     200     none    none    none
        responsible 200     200     none    none    none
        platform    200     200     none    none    none
        viewer      200     200     none    none    none
        auditor     200     200     200     200     none
    """,
    "list_requests: past": """
        admin       200     200     200     200     none
        supervisor  200     200     none    none    none
        responsible 200     200     none    none    none
        platform    200     200     none    none    none
        viewer      200     200     none    none    none
        auditor     200     200     200     200     none
    """,
    "list_item_requests": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "get_request": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "create_item_request: extension": """
        admin       201     201     201     201     404
        supervisor  403     403     404     404     404
        responsible 201     201     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "create_item_request: closure": """
        admin       201     201     201     201     404
        supervisor  403     403     404     404     404
        responsible 201     201     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "create_item_request: transfer": """
        admin       201     201     201     201     404
        supervisor  403     403     404     404     404
        responsible 201     201     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "create_item_request: transfer to": """
        admin       201     201     201     201     422
        supervisor  403     403     403     403     403
        responsible 201     201     201     201     422
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "decide_request: extension": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "decide_request: closure": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "decide_request: transfer": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "decide_request: return": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "decide_request: transfer to": """
        admin       200     200     200     200     422
        supervisor  200     200     200     200     422
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "decide_request: transfer under": """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "withdraw_request": """
        admin       200     200     200     200     404
        supervisor  403     403     404     404     404
        responsible 200     200     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    # -- notices
    # An item that is named is looked up before the permission, which depends on it; a copy's unit after it.
    "create_notice": """
        admin       201     201     201     201     422
        supervisor  403     201     422     422     422
        responsible 403     403     422     422     422
        platform    403     403     422     422     422
        viewer      403     403     422     422     422
        auditor     403     403     403     403     422
    """,
    "create_notice: copy": """
        admin       201     201     201     201     422
        supervisor  201     201     422     422     422
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "list_notices": """
        admin       200     200     200     200     none
        supervisor  200     200     none    none    none
        responsible 200     200     none    none    none
        platform    200     200     none    none    none
        viewer      200     200     none    none    none
        auditor     200     200     200     200     none
    """,
    "list_notices: item": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "get_notice": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "issue_notice": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "sign_notice": """
        admin       200     200     200     200     404
        supervisor  403     403     404     404     404
        responsible 200     200     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "cancel_notice": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    # -- interviews
    "schedule_interview": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "record_interviews": """
        admin       200     200     200     200     422
        supervisor  403     200     422     422     422
        responsible 403     403     422     422     422
        platform    403     403     422     422     422
        viewer      403     403     422     422     422
        auditor     403     403     403     403     422
    """,
    # -- deadlines, reviews, overdue work
    "get_item_deadline": """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """,
    "review_item": """
        admin       200     200     200     200     404
        supervisor  403     200     404     404     404
        responsible 403     403     404     404     404
        platform    403     403     404     404     404
        viewer      403     403     404     404     404
        auditor     403     403     403     403     404
    """,
    "list_overdue: request": """
        admin       200     200     200     200     none
        supervisor  200     200     none    none    none
        responsible 200     200     none    none    none
        platform    200     200     none    none    none
        viewer      200     200     none    none    none
        auditor     200     200     200     200     none
    """,
    "list_overdue: interview": """
        admin       200     200     200     200     none
        supervisor  200     200     none    none    none
        responsible 200     200     none    none    none
        platform    200     200     none    none    none
        viewer      200     200     none    none    none
        auditor     200     200     200     200     none
    """,
    "list_overdue: receipt": """
        admin       200     200     200     200     none
        supervisor  200     200     none    none    none
        responsible 200     200     none    none    none
        platform    200     200     none    none    none
        viewer      200     200     none    none    none
        auditor     200     200     200     200     none
    """,
    "list_overdue: draft": """
        admin       200     200     200     200     none
        supervisor  200     200     none    none    none
        responsible 200     200     none    none    none
        platform    200     200     none    none    none
        viewer      200     200     none    none    none
        auditor     200     200     200     200     none
    """,
}
