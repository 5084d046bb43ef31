"""Printed documents: notices as official letters, and the full record of an item."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Response

from service.actions import letters, records
from service.api.deps import Asked, Room, Route
from service.api.downloads import DOCX, PDF, SAVED, content_of, whole
from service.api.fields import Id
from service.api.openapi import READ, documented
from service.api.references import ItemId
from service.outside.letters import Format
from service.workflow.notice_letters import KINDS

router = Room(route_class=Route, tags=["printing"])

MEDIA = {Format.PDF: PDF, Format.DOCX: DOCX}
CODES = (*READ, "printing_unavailable")

NoticeId = Annotated[Id, Path(description="The notice's id.")]


@router.get(
    "/v1/notices/{notice_id}.pdf",
    **documented(
        "get_notice_pdf", "The notice as an official letter (GB/T 9704), with its list and receipt", None, codes=CODES,
        content=content_of(PDF), headers=SAVED,
    ),
)  # fmt: skip
async def get_notice_pdf(request: Asked, notice_id: NoticeId) -> Response:
    return await _notice(request, notice_id, Format.PDF)


@router.get(
    "/v1/notices/{notice_id}.docx",
    **documented(
        "get_notice_docx", "The same as .docx, by the office's own template where it has one", None, codes=CODES,
        content=content_of(DOCX), headers=SAVED,
    ),
)  # fmt: skip
async def get_notice_docx(request: Asked, notice_id: NoticeId) -> Response:
    return await _notice(request, notice_id, Format.DOCX)


async def _notice(request: Asked, notice_id: UUID, format: Format) -> Response:
    notice, content = await letters.print_notice(request.service, request.call, notice_id, format)
    name = f"{KINDS[notice.kind]}{notice.number or ''}.{format.value}"
    return whole(content, MEDIA[format], name, f"notice.{format.value}")


@router.get(
    "/v1/items/{item_id}/record.pdf",
    **documented(
        "get_item_record_pdf", "Everything that happened to the item (全程纪实), with its proof in the log", None,
        codes=CODES, content=content_of(PDF), headers=SAVED,
    ),
)  # fmt: skip
async def get_item_record_pdf(request: Asked, item_id: ItemId) -> Response:
    return await _record(request, item_id, Format.PDF)


@router.get(
    "/v1/items/{item_id}/record.docx",
    **documented(
        "get_item_record_docx", "The same as .docx, by the office's own template where it has one", None, codes=CODES,
        content=content_of(DOCX), headers=SAVED,
    ),
)  # fmt: skip
async def get_item_record_docx(request: Asked, item_id: ItemId) -> Response:
    return await _record(request, item_id, Format.DOCX)


async def _record(request: Asked, item_id: UUID, format: Format) -> Response:
    item, content = await records.print_record(request.service, request.call, item_id, format)
    return whole(content, MEDIA[format], f"全程纪实{item.number}.{format.value}", f"record.{format.value}")
