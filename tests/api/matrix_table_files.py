"""The rows of the matrix about files; how to read them stands in matrix_table.py."""

_EVERYBODY = """
        admin       200     200     200     200     200
        supervisor  200     200     200     200     200
        responsible 200     200     200     200     200
        platform    200     200     200     200     200
        viewer      200     200     200     200     200
        auditor     200     200     200     200     200
    """

_OWN_UNITS = """
        admin       200     200     200     200     422
        supervisor  200     200     422     422     422
        responsible 200     200     422     422     422
        platform    200     200     422     422     422
        viewer      200     200     422     422     422
        auditor     200     200     200     200     422
    """

_OWN_LEDGERS = """
        admin       200     200     200     200     422
        supervisor  200     200     200     200     422
        responsible 200     200     200     200     422
        platform    200     200     200     200     422
        viewer      200     200     200     200     422
        auditor     200     200     200     200     422
    """

_WHO_SEES_IT = """
        admin       200     200     200     200     404
        supervisor  200     200     404     404     404
        responsible 200     200     404     404     404
        platform    200     200     404     404     404
        viewer      200     200     404     404     404
        auditor     200     200     200     200     404
    """

_ONE_S_OWN = """
        admin       404     404     404     404     404
        supervisor  404     404     404     404     404
        responsible 404     404     404     404     404
        platform    404     404     404     404     404
        viewer      404     404     404     404     404
        auditor     404     404     404     404     404
    """
"""The job is the admin's who makes everything in the tests: no other admin sees it."""

FILES_TABLE = {
    # -- exports: everybody has one of what everybody sees
    "export_items_xlsx": _EVERYBODY,
    "export_items_xlsx: unit": _OWN_UNITS,
    "export_items_csv": _EVERYBODY,
    "export_items_csv: unit": _OWN_UNITS,
    "export_items_csv: ledger": _OWN_LEDGERS,
    "create_export": _EVERYBODY.replace("200", "202"),
    "create_export: unit": _OWN_UNITS.replace("200", "202"),
    # -- jobs
    "get_job": _ONE_S_OWN,
    "get_job_result": _ONE_S_OWN,
    # -- printed: as what is printed is read
    "get_notice_pdf": _WHO_SEES_IT,
    "get_notice_docx": _WHO_SEES_IT,
    "get_item_record_pdf": _WHO_SEES_IT,
    "get_item_record_docx": _WHO_SEES_IT,
}
