"""The execution of runs: interpreter, nodes and transitions."""
