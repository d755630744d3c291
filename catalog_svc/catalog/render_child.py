"""Child process that renders one image: `python -m catalog.render_child '{"memory_mb": …}'`.

It is limited in memory and time, and holds neither Django nor any secret. The upload comes on standard
input. Standard output gets one line of JSON, `{"renditions": [[name, width, height, bytes], …]}` or
`{"refused": reason}`, and then the renditions themselves.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
from pathlib import Path

from catalog.image_rendering import InvalidImage, Limits, render


def limit(memory_mb: int, seconds: int) -> None:
    """Limit this process; if the machine runs out of memory, it is killed before the worker."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def main() -> None:
    given = json.loads(sys.argv[1])
    limit(given["memory_mb"], given["seconds"])
    data = sys.stdin.buffer.read()
    try:
        made = render(data, Limits(given["max_bytes"], given["max_pixels"]))
    except InvalidImage as error:
        answer, files = {"refused": str(error)}, []
    else:
        answer = {"renditions": [[r.name, r.width, r.height, len(content)] for r, content in made]}
        files = [content for _, content in made]
    out = sys.stdout.buffer
    out.write(json.dumps(answer).encode() + b"\n" + b"".join(files))
    out.flush()


if __name__ == "__main__":
    main()
