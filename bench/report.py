"""The table: each measure with its ratio, its aim, and whether it is met."""

import os
import platform
from dataclasses import dataclass
from statistics import median

from bench.pages import Timed
from bench.place import Facts
from bench.wire import Measured, percentile

HEAD = "| Measure | Value | Ratio | Aim | Met |\n|---|---:|---:|---:|---|"

MEANT = {
    "transition": "POST transitions (claim, extend, close, reopen)",
    "create": "POST /v1/items",
    "get": "GET /v1/items/{id}",
    "empty": "GET /livez, the empty endpoint",
    "list": "GET /v1/items, first page",
    "overdue": "GET /v1/overdue, first page",
    "six": "pgbench, the transaction in six statements",
    "own": "pgbench, the service's own statements of a claim",
}

RATIOS = (
    ("transition", "six", 0.30, "wanted 0.40"),
    ("transition", "own", None, ""),
    ("get", "empty", 0.50, ""),
    ("create", "transition", 0.60, ""),
)


@dataclass(slots=True)
class Round:
    """What was measured one after the other, so that a noisy moment hits all alike: requests a second, by name."""

    rates: dict[str, float]
    measured: dict[str, Measured]


def heading(facts: Facts, loads: list[str]) -> str:
    noise = ", ".join(loads)
    return (
        f"\n## {facts.kind}: {facts.items:,} items, {facts.units:,} units\n\n"
        f"{os.cpu_count()} cores, Python {platform.python_version()}, 16 connections,"
        f" filled in {facts.filled_in:.0f} s; load average before each round: {noise}.\n"
    )


def rates(rounds: list[Round]) -> str:
    """Requests a second as medians; ratios as medians of the rounds' own ratios."""
    lines = [HEAD]
    for name, meant in MEANT.items():
        values = [each.rates[name] for each in rounds if name in each.rates]
        if not values:
            continue
        value = f"{median(values):,.0f}/s ({min(values):,.0f}-{max(values):,.0f})"
        if name in rounds[0].measured:
            times = [each.measured[name] for each in rounds]
            value += "".join(
                f", p{share} {median(t.percentile(share / 100) for t in times):.1f} ms" for share in (50, 99)
            )
            cpu = [each.cpu_ms for each in times if each.cpu_ms is not None]
            value += f", {median(cpu):.2f} ms of the server's processor" if cpu else ""
        lines.append(f"| {meant} | {value} | | | |")
    for above, below, aim, wanted in RATIOS:
        pairs = [each.rates[above] / each.rates[below] for each in rounds if {above, below} <= each.rates.keys()]
        if pairs:
            ratio, spread = median(pairs), f"{min(pairs):.2f}-{max(pairs):.2f}"
            aimed = f">= {aim:.2f}" + (f" ({wanted})" if wanted else "") if aim else ""
            met = ("yes" if ratio >= aim else "NO") if aim else ""
            lines.append(f"| {above} / {below} | {spread} | {ratio:.2f} | {aimed} | {met} |")
    return "\n".join(lines)


def triggers(rounds: list[Round]) -> str:
    """How long each trigger took, under the load of all of them."""
    together: dict[str, list[float]] = {}
    for each in rounds:
        measured = each.measured.get("transition")
        for name, values in measured.latencies.items() if measured else ():
            together.setdefault(name, []).extend(values)
    lines = ["| Trigger | Answers | p50 ms | p95 ms | p99 ms |", "|---|---:|---:|---:|---:|"]
    for name, values in sorted(together.items()):
        shown = " | ".join(f"{percentile(values, share) * 1000:.1f}" for share in (0.5, 0.95, 0.99))
        lines.append(f"| {name} | {len(values):,} | {shown} |")
    return "\n".join(lines)


def pages(timed: list[Timed]) -> str:
    """Milliseconds in the database, and until the driver has the rows. Aims in brackets are our own."""
    lines = [
        "| Page | Scope | Rows | p50 ms | p95 ms | p99 ms | Driver p95 ms | Aim p95 | Met |",
        "|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for each in timed:
        aim = f"{each.kind.aim:g}" if each.kind.stated else f"({each.kind.aim:g})"
        shown = " | ".join(f"{each.ms(share):.2f}" for share in (0.5, 0.95, 0.99))
        rows = each.rows // max(1, len(each.runs))
        driver, met = each.driver_ms(0.95), "yes" if each.met else "NO"
        lines.append(f"| {each.kind.name} | {each.scope} | {rows} | {shown} | {driver:.2f} | {aim} | {met} |")
    return "\n".join(lines)
