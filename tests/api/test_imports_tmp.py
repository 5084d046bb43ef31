import pytest
from pathlib import Path
from service.actions import imports
from service.actions.importing import Options
from service.actions.references import Named
from service.actions.operator import operator_call
from datetime import UTC, datetime
from tests import invariants

async def test_x(world, settings):
    call = await operator_call(world.service, "default", datetime.now(UTC))
    for f in sorted(Path("tests/files/ledgers").glob("0*[xv]")):
        done = await imports.load(world.service, call, f.read_bytes(), f.name, Options(ledger=Named("default","/query/ledger"), create_units=True))
        r = done.report
        print({k:v for k,v in r.items() if k not in ("rows","mapping","sheets")})
        for x in r["rows"]:
            if x["status"]=="refused": print(x)
        again = await imports.load(world.service, call, f.read_bytes(), f.name, Options(ledger=Named("default","/query/ledger"), create_units=True))
        r=again.report
        print({k:v for k,v in r.items() if k not in ("rows","mapping","sheets","new_units")})
    for c in await invariants.contradictions(settings): print('CONTRA', c[:1500])
