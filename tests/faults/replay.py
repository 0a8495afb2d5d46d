"""One conversation of a campaign once more, with everything that happened in it.

``python -m tests.faults.replay --server stranger --channel rest --seed 2026 --run 7``. The conversations
that its worker had before it (``--after 1``) matter where a cache or a gateway serves something of them.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.faults.campaign import Terms, run_conversations
from tests.faults.plan import FULL, SHORT
from tests.faults.servers import NAMES


def main():
    """Run the conversation and print its trace."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--server", choices=NAMES, required=True)
    parser.add_argument("--channel", choices=("rest", "socket"), required=True)
    parser.add_argument("--seed", default="2026")
    parser.add_argument("--run", type=int, required=True)
    parser.add_argument("--after", type=int, default=0, help="how many before it are run, too")
    parser.add_argument("--workers", type=int, default=Terms.workers, help="of the campaign")
    parser.add_argument("--short", action="store_true", help="a run of the part that every test run repeats")
    options = parser.parse_args()
    timing = SHORT if options.short else FULL
    terms = Terms(options.server, options.channel, 0, options.seed, timing)
    numbers = [options.run - each * options.workers for each in range(options.after, -1, -1)]
    with tempfile.TemporaryDirectory() as folder:
        outcome = run_conversations(terms, Path(folder), [number for number in numbers if number > 0])
    print(outcome.trace(f"run {options.run}"))
    print(outcome.report())


if __name__ == "__main__":
    main()
