"""How a run goes: the interpreter, the nodes it runs, the edges it takes."""
