"""The last line of a run: how many tests ran, how many were skipped, and why; and what tests counted themselves.

A skipped test is easily overlooked among dots. It stands after pytest's own closing line, once per run: under xdist
only the controller knows all the reports, so the workers stay silent.
"""

from collections import Counter

import pytest

_finished = pytest.StashKey[bool]()


def pytest_sessionfinish(session: pytest.Session) -> None:
    session.config.stash[_finished] = True


def pytest_unconfigure(config: pytest.Config) -> None:
    # Not at session finish: pytest writes its closing line there, and this one comes after it.
    if not config.stash.get(_finished, False) or hasattr(config, "workerinput") or config.option.collectonly:
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        reporter.write_line(closing_line(reporter.stats))


def closing_line(stats: dict[str, list[object]]) -> str:
    ran = sum(len(stats.get(outcome, ())) for outcome in ("passed", "failed", "xfailed", "xpassed"))
    skipped = stats.get("skipped", [])
    line = f"ran {ran}, skipped {len(skipped)}"
    if skipped:
        reasons = Counter(_reason(report) for report in skipped)
        line += " because " + "; ".join(
            reason if count == 1 else f"{reason} ({count})" for reason, count in reasons.most_common()
        )
    if errors := len(stats.get("error", ())):
        line += f", errors {errors}"
    for counted, count in _counts(stats).items():
        line += f", {counted} {count}"
    return line


def _counts(stats: dict[str, list[object]]) -> Counter[str]:
    """What tests counted themselves and gave to `record_property`, summed by its name."""
    counts: Counter[str] = Counter()
    for report in (*stats.get("passed", ()), *stats.get("failed", ())):
        for name, value in getattr(report, "user_properties", ()):
            if isinstance(value, int):
                counts[name] += value
    return counts


def _reason(report: object) -> str:
    # A skip's longrepr is (path, line, "Skipped: reason"), for a test and for a whole module alike.
    match getattr(report, "longrepr", None):
        case (_, _, str(text)):
            return " ".join(text.removeprefix("Skipped: ").split()) or "no reason was given"
    return "no reason was given"
