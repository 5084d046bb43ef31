"""Turning the clock by hand: all that is due at an instant, done or only foreseen."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from service import composition, settings
from service.actions import foreseeing, ladder
from service.actions.foreseeing import Preview
from service.cli.terminal import bring_up, cli, err, out, run
from service.settings import Settings
from service.workers import clock as worker
from service.workflow.ladder import Meeting


@cli.command()
def clock(
    at: Annotated[str, typer.Option(help="The instant, as in 2026-10-09T09:00+08:00; empty: now.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done, and why.")] = False,
) -> None:
    """Do all that is due at an instant: deadlines that passed, rungs of the ladder. May run beside `serve`."""
    now = _instant(at)
    present = settings.load()
    bring_up(present)
    if dry_run:
        _show(run(_foresee(present, now)), now)
    else:
        tally = run(_turn(present, now))
        out.print(_told(tally))
        if tally.failed:
            err.print(f"{tally.failed} items failed, see the log; the clock tries them again in ten minutes")
            raise typer.Exit(1)


def _instant(at: str) -> datetime:
    if not at:
        return datetime.now(UTC)
    try:
        instant: datetime | None = datetime.fromisoformat(at)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        err.print("--at: an instant with its offset, as in 2026-10-09T09:00+08:00")
        raise typer.Exit(2)
    return instant.astimezone(UTC)


async def _turn(present: Settings, now: datetime) -> ladder.Tally:
    async with composition.running(present) as service:
        composition.collect_less()
        return await worker.run_until_done(service, now)


def _told(tally: ladder.Tally) -> str:
    parts = [f"{tally.looked} items looked at", f"{tally.passed} deadlines passed", f"{tally.notices} notices"]
    parts += [f"{count} {action} fired" for action, count in sorted(tally.fired.items())]
    parts += [f"{count} skipped ({why})" for why, count in sorted(tally.skipped.items())]
    return ", ".join([*parts, *([f"{tally.rescheduled} rescheduled"] if tally.rescheduled else [])])


async def _foresee(present: Settings, now: datetime) -> Preview:
    async with composition.running(present) as service:
        return await foreseeing.preview(service, now)


def _show(preview: Preview, now: datetime) -> None:
    """A line for each thing that would be done: item, what, and because of which day; then what is not shown."""
    for each in preview.foreseen:
        number, look = each.item.number, each.look
        if look.passed is not None:
            out.print(f"{number}: deadline {look.passed} passed")
        for met, why in look.skips:
            out.print(f"{number}: skips {met.rung.code} ({why}), {_because(met)}")
        for met in (*look.fires, *([look.escalation] if look.escalation else [])):
            out.print(f"{number}: {met.rung.action} by {met.rung.code}, {_because(met)}")
    if preview.cut:
        out.print(f"of {preview.cut} tenants only the first {foreseeing.PREVIEWED} items that are due are shown")
    if preview.changes:
        out.print(f"{preview.changes} changes of a policy or calendar are still to be followed: more items may be due")
    out.print(f"{len(preview.foreseen)} items at {now:%Y-%m-%dT%H:%MZ}; nothing was changed")


def _because(met: Meeting) -> str:
    """`+3 working days from due 2026-10-09, due since 2026-10-14T01:00Z`."""
    anchor = f"{met.anchor.kind} {met.anchor.on}"
    return f"{met.rung.offset:+} working days from {anchor}, due since {met.moment:%Y-%m-%dT%H:%MZ}"
