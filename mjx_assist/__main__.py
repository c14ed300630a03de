"""`python -m mjx_assist` is the command `mjx-assist`."""

import os
import sys

if __name__ == "__main__":
    if not sys.flags.safe_path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]  # the current folder, which -m puts first: what lies beside a bundle is not imported

    from mjx_assist.cli.main import main

    sys.exit(main())
