"""A `stranger` whose records return ``miscellaneous``, and with it the ids by which clients name their turns.

It does not know what they mean: it executes a turn that it has executed before.
"""

from __future__ import annotations

from tests.faults.stranger import main

if __name__ == "__main__":
    main(keeps_miscellaneous=True)
