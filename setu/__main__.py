"""Run Setu as a module: `python -m setu`."""

from setu.cli.main import main

if __name__ == "__main__":
    main()
