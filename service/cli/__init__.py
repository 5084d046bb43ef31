"""The xiaohao command."""

import sys

from service.cli import (  # noqa: F401  (importing them adds their commands)
    clock,
    demo,
    documents,
    exporting,
    figures,
    imports,
    keys,
    operating,
    record,
    serving,
)
from service.cli.terminal import cli, err
from service.errors import Refused
from service.outside.keys_file import KeysUnusable
from service.outside.lock import Busy
from service.settings import BadSettings


def main() -> None:
    """Run the command; what an operator can mend is one line, not a traceback."""
    try:
        cli()
    except BadSettings as bad:
        for line in bad.lines:
            err.print(line)
        sys.exit(2)
    except (KeysUnusable, Busy) as error:
        err.print(str(error))
        sys.exit(2)
    except Refused as refused:
        err.print(f"{refused.code}: the database did not answer")
        sys.exit(1)
