"""Reads SQL that was written by hand, for the few statements that have no tree."""

import re
from collections.abc import Collection

_MENTION = re.compile(r"\b(FROM|JOIN|INTO|UPDATE|USING)\s+(\w+)(?:\s+AS\s+(\w+))?(?:\s*\(([^)]*)\))?", re.IGNORECASE)
_VALUE = r"(?:CAST\(:tenant_id AS uuid\)|:tenant_id(?!\w))"


def read_text(text: str, outer: set[str], without_tenant: Collection[str]) -> tuple[set[str], list[str]]:
    """The tables that `text` names, and what is wrong with it; `outer` are bound tables around it.

    A small reading: one condition after another, no OR and no NOT wherever a table is named.
    """
    tables, problems = set(), []
    mentions = list(_MENTION.finditer(text))
    if mentions and re.search(r"\b(OR|NOT|UNION|WITH)\b", text, re.IGNORECASE):
        problems.append(f"text that names a table and says more than AND: {text}")
    for mention in mentions:
        verb, name, alias, columns = mention.groups()
        tables.add(name)
        if name in without_tenant:
            continue
        if verb.upper() == "INTO":
            first = rf"{re.escape(mention[0])}\s*(?:SELECT|VALUES\s*\()\s*{_VALUE}"
            if not (columns or "").replace(" ", "").startswith("tenant_id,") or not re.search(first, text):
                problems.append(f"INSERT INTO {name} sets no tenant_id first: {text}")
            continue
        others = "|".join([_VALUE, *(rf"{re.escape(each)}\.tenant_id" for each in sorted(outer))])
        qualified = rf"{alias}\." if alias else rf"(?:{name}\.)?"
        condition = rf"\b(?:WHERE|AND)\s+{qualified}tenant_id\s*=\s*(?:{others})"
        if not re.search(condition, _level(text, mention.end())):
            problems.append(f"{name} is bound to no tenant: {text}")
    return tables, problems


def _level(text: str, start: int) -> str:
    """What follows on the same level of parentheses, up to where that closes; what stands deeper is left out."""
    depth, kept = 0, []
    for match in re.finditer(r"CAST\([^()]*\)|[()]|[^()]", text[start:]):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if depth < 0:
                break
        elif depth == 0:
            kept.append(match[0])
    return "".join(kept)
