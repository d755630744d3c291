"""For processes that are to be interrupted: what a shell starts in the background is born deaf to Ctrl-C."""

import signal


def heard() -> None:
    """Run in a child before its program, with nothing that a thread could hold: Ctrl-C is heard again."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
