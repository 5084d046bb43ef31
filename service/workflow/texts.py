"""What may stand in a line, in a text and in a code, wherever it comes from; and how a text is cut."""

LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\s\x00-\x1f\x7f-\x9f\u2028\u2029][^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
"""One line without control characters, and not blank."""

TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
"""Text that may have line breaks and tabs, and is not blank."""

CODE = r"^[A-Za-z0-9_.-]+$"
"""Codes of units and ledgers."""


def shortened(text: str, most: int) -> str:
    """`most` characters of a text at the most; where it is cut it ends with …."""
    return text if len(text) <= most else text[: most - 1] + "…"
