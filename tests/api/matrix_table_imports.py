"""Imports in the table of matrix_table.py.

Rows that lie out of reach are refused one by one, in an answer that is 200. An import is seen by whoever made it, and
by the admins of its tenant: here an admin made each.
"""

EVERYBODY = """
        admin       200     200     200     200     200
        supervisor  200     200     200     200     200
        responsible 200     200     200     200     200
        platform    200     200     200     200     200
        viewer      200     200     200     200     200
        auditor     200     200     200     200     200
    """

THEIRS = """
        admin       200     200     200     200     404
        supervisor  404     404     404     404     404
        responsible 404     404     404     404     404
        platform    404     404     404     404     404
        viewer      404     404     404     404     404
        auditor     404     404     404     404     404
    """

IMPORTS_TABLE = {
    #                   own     child   parent  sibling other
    # A ledger names units by code, which is looked for in the caller's own tenant only: t1 is there too.
    "import_items": """
        admin       200     200     200     200     200
        supervisor  200     200     200     200     200
        responsible 403     403     403     403     403
        platform    200     200     200     200     200
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "import_items: ledger": """
        admin       200     200     200     200     422
        supervisor  200     200     200     200     422
        responsible 403     403     403     403     403
        platform    200     200     200     200     422
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    # New units are made by admins only.
    "import_items: parent": """
        admin       200     200     200     200     422
        supervisor  403     403     403     403     403
        responsible 403     403     403     403     403
        platform    403     403     403     403     403
        viewer      403     403     403     403     403
        auditor     403     403     403     403     403
    """,
    "get_import": THEIRS,
    "get_refused_rows": THEIRS,
    "get_deadline_words": EVERYBODY,
}
