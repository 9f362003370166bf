"""``python -m limpid`` is the command ``limpid``."""

from limpid.cli.main import main

if __name__ == "__main__":
    main()
