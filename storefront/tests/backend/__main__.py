"""Command that runs the fake services alone, with the demo shop's pictures."""

import sys

from tests.backend import Backend, serve

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8901
serve(Backend(media=f"http://127.0.0.1:{port}/media"), port).serve_forever()
