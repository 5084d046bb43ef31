"""`python -m bench.deltas`: what it costs transitions that every event is counted for the figures.

Transitions are driven in turn with a worker beside the server that gives positions and counts nothing, and with one
that counts and sums up as it does, a round each, on the same database. A worker that counts has caught up before its
round begins: else it would be measured at what the other left behind.
"""

from statistics import median

from bench import server
from bench.load import Load
from bench.sequencing import WAITING, prepared, start, worker

AIM_RATE = 0.95

UNCOUNTED = """
from service.actions import figuring

async def nothing(*_, **__):
    return []

figuring.count = figuring.behind = nothing
"""
"""In the worker's process: its sequencer counts nothing, and nobody counts it afterwards."""

UNCOUNTED_OR_WAITING = f"""
SELECT ({WAITING}) + (SELECT count(*) FROM log_heads LEFT JOIN figure_heads USING (tenant_id)
                      LEFT JOIN figure_folds USING (tenant_id)
                      WHERE size > coalesce(counted, 0) OR counted > coalesce(folded, 0))
"""


def main() -> None:
    options, filled = prepared("bench.deltas", "What counting for the figures costs.")
    rates: dict[bool, list[float]] = {False: [], True: []}
    try:
        with server.serving(filled.settings) as served:
            # What the clock finds to do in a county that was filled must not be measured as anybody's.
            start(filled, "clock").wait()
            load = Load(filled, served.port)
            load.measure("transition", 2)
            for _ in range(options.rounds):
                with worker(filled, UNCOUNTED):
                    rates[False].append(load.measure("transition", options.seconds).rate)
                with worker(filled, left=UNCOUNTED_OR_WAITING):
                    rates[True].append(load.measure("transition", options.seconds).rate)
    finally:
        filled.remove()
    without, counted = median(rates[False]), median(rates[True])
    print(
        "| | positions alone | counted as well | ratio | aim |\n|---|---:|---:|---:|---:|\n"
        f"| transitions a second | {without:.0f} | {counted:.0f} | {counted / without:.2f} | {AIM_RATE} |"
    )


if __name__ == "__main__":
    main()
