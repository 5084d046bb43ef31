"""The running service is held against its own OpenAPI document, on both databases, with every check Schemathesis has.

Random data alone seldom gets past "there is no such item": what most requests name is made first, see seeds.py. A run
fails on any failure or error that is found, and on every operation that never answered 2xx.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import Settings
from tests import fonts
from tests.e2e.seeds import seeds
from tests.servers import Server

pytestmark = pytest.mark.long

SEED = 20260101
SEMANTICS = Path(__file__).with_name("semantics.py")

EXAMPLES, EXAMPLES_FULL = 4, 300
"""Requests that are made up for an operation, beside those that the document's bounds and examples lead to."""

TOLERATED = {"validation_mismatch", "low_valid_rate", "missing_test_data"}
"""Guesses from many refusals: here each refusal is looked into, and every operation must have accepted something."""

LASTS_AT_MOST, LASTS_AT_MOST_FULL = 900, 7200
"""Seconds after which something hangs."""


@pytest.fixture(scope="module")
def server(settings: Settings, kind: str, full: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if kind == "postgresql" and not full:
        pytest.skip("two minutes more on PostgreSQL: make soak")
    # With its workers: events that are asked for by their positions must have them.
    with Server(
        settings, tmp_path_factory.mktemp("server"), workers_inside="true", webhook_allow_networks="127.0.0.9/32"
    ) as running:
        yield running


BINDINGS = {
    "path.item_id": "items",
    "path.attachment_id": "attachments",
    "path.interview_id": "interviews",
    "path.request_id": "requests",
    "path.notice_id": "notices",
    "query.item_id": "items",
    "path.unit_id": "units",
    "path.ledger_id": "ledgers",
    "path.principal_id": "principals",
    "path.issuer_id": "issuers",
    "body.mapping.grants[*].unit": "unit_codes",
    "body.unit": "unit_codes",
    "body.unit_id": "units",
    "body.department": "unit_codes",
    "body.department_id": "units",
    "body.principal_id": "principals",
    "body.transfer_to": "unit_codes",
    "body.transfer_to_id": "units",
    "path.webhook_id": "webhooks",
    "path.channel_id": "channels",
    "path.import_id": "imports",
    "path.code": "problems",
    "body.ledger": "ledger_codes",
    "body.ledger_id": "ledgers",
    "body.owner_unit_id": "units",
    "body.parent": "unit_codes",
    "body.parent_id": "units",
    "body.responsible_unit": "unit_codes",
    "body.responsible_unit_id": "units",
    "body.items[*].ledger": "ledger_codes",
    "body.items[*].ledger_id": "ledgers",
    "body.items[*].responsible_unit": "unit_codes",
    "body.items[*].responsible_unit_id": "units",
    "body.duplicate_of": "items",
    "body.copy_unit_ids[*]": "units",
    "body.supervising_unit": "unit_codes",
    "body.supervising_unit_id": "units",
}


def configuration(seeded: dict[str, list[str]], key: str, full: bool) -> str:
    lines = [
        f"seed = {SEED}",
        f"hooks = {json.dumps(str(SEMANTICS))}",
        "continue-on-failure = true",
        f"headers = {{ Authorization = {json.dumps('Bearer ' + key)} }}",
        "[generation]",
        f"max-examples = {EXAMPLES_FULL if full else EXAMPLES}",
        'database = "none"',
        # Nine thousand requests, every bound of every field on both sides, take longer than all others together.
        "[phases.coverage]",
        f"enabled = {str(full).lower()}",
        # With so few examples it makes twenty requests, and takes longer over them than over a thousand others.
        "[phases.stateful]",
        f"enabled = {str(full).lower()}",
        "[checks.positive_data_acceptance]",
        # 412: a version that is stale by now. 422 is looked into by `refused_for_its_meaning`. 429: of one caller, few
        # exports are under way at once; calls are not counted here.
        'expected-statuses = ["2xx", 304, 401, 403, 404, 409, 412, 422, 429]',
        "[checks.negative_data_rejection]",
        "expected-statuses = [401, 403, 404, 405, 409, 412, 413, 415, 422, 428]",
        "[checks.missing_required_header]",
        "expected-statuses = [428]",
    ]
    for name, values in seeded.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines.append("[parameters]")
    lines += [f'"{place}" = {{ dictionary = "{name}", probability = 0.9 }}' for place, name in BINDINGS.items()]
    return "\n".join(lines) + "\n"


def test_every_operation_keeps_to_the_document(server: Server, tmp_path: Path, full: bool) -> None:
    seeded = seeds(server)
    config, report = tmp_path / "schemathesis.toml", tmp_path / "report.json"
    config.write_text(configuration(seeded, server.admin_key, full))
    run = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{server.url}/openapi.json",
            "--checks", "all", "--no-color", "--report-json-path", str(report),
            # A busy machine is no failure.
            "--suppress-health-check", "too_slow",
            # Without a font for Chinese nothing is printed as PDF.
            *(f"--exclude-operation-id={each}" for each in fonts.PRINTED if not fonts.there()),
        ],
        cwd=tmp_path,
        env=os.environ
        | {"SEEDED": json.dumps(seeded), "SEEDED_KEY": server.admin_key, "NO_PROXY": "*", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=LASTS_AT_MOST_FULL if full else LASTS_AT_MOST,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    told = json.loads(report.read_text())
    assert told["operations"]["tested"] == told["operations"]["selected"] > 0
    unsound = {name: found for name, found in told["warnings"].items() if found and name not in TOLERATED}
    assert not unsound, unsound
    rates = told["valid_rates"]
    silent = [label for label, phases in rates.items() if not any(phase["accepted"] for phase in phases.values())]
    assert len(rates) == told["operations"]["selected"] and not silent, f"never answered 2xx: {silent}"
    assert "Traceback" not in server.log, server.log
