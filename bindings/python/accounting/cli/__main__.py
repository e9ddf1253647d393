"""`python -m accounting.cli`: the command where its script is not on the path."""

from accounting.cli.app import main

if __name__ == "__main__":
    main()
