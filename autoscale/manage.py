#!/usr/bin/env python
"""Django's command line for the autoscaler; the agent and the proxy start without Django."""

import os
import sys

LIGHT = {"node_agent": "autoscaling.agent.__main__", "docker_proxy": "autoscaling.proxy.__main__"}


def main() -> None:
    light = LIGHT.get(sys.argv[1]) if len(sys.argv) == 2 else None
    if light:
        # One of each on every node: 15 MB instead of 60.
        import importlib

        importlib.import_module(light).main()
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
