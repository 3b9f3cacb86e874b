"""`python -m tests.walk` walks, prints the table and renews the examples of the document."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from .run import EXAMPLES, walked
from .steps import SPECIFIED
from .walker import examples, table

with TemporaryDirectory() as place:
    found = walked(Path(place))
rest = sorted(set(found) - set(SPECIFIED), key=lambda each: each.split()[::-1])
sys.stdout.write(table(found, SPECIFIED) + "\n\nBeside the specification:\n\n")
sys.stdout.write(table(found, rest) + "\n")
EXAMPLES.write_text(examples(found), "utf-8")
