"""`python -m mjx_assist` is the command `mjx-assist`."""

import sys

from mjx_assist.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
