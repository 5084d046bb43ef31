"""Structured logs on standard error: one JSON object a line, or text for people. Never a secret, never a body."""

import logging
import sys
from typing import Any

import structlog
from pydantic_core import to_json


def configure(level: str, form: str, *, lasting: bool = True) -> None:
    """Set up logging for this process. `level` is a level's name, `form` is `json` or `text`.

    Not `lasting`: it will be set up anew, so no logger may remember it.
    """
    number = getattr(logging, level.upper())
    # Libraries speak when something is wrong; at our level they would tell of every guard and every statement.
    logging.basicConfig(level=max(number, logging.WARNING), format="%(message)s", stream=sys.stderr)
    as_json = form == "json"
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_line) if as_json else structlog.dev.ConsoleRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer)
        if as_json
        else structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=lasting,
    )


def _line(event: Any, **_: Any) -> bytes:
    return to_json(event, fallback=str)
