"""Entry point of ``python -m debugger``."""

from debugger.cli import main

if __name__ == "__main__":
    main()
