"""``python -m latcpb_cli``: the command ``latcpb``."""

from latcpb_cli.cli.app import main

if __name__ == "__main__":
    main()
