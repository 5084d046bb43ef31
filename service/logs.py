"""Structured logs on standard error: one JSON object a line, or text for people. Never a secret, never a body."""

import logging
import sys

import structlog


def configure(level: str, form: str) -> None:
    """Set up logging for this process."""
    number = getattr(logging, level.upper())
    logging.basicConfig(level=number, format="%(message)s", stream=sys.stderr)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
