"""Named places where a test may kill the process, to prove that nothing is lost there."""

import os

#: The exit code of a process that was ended by a failpoint.
EXIT_CODE = 86


def failpoint(name: str) -> None:
    """Exit at once, without any clean-up, when the environment variable FAILPOINT names this place."""
    if os.environ.get("FAILPOINT") == name:
        os._exit(EXIT_CODE)
