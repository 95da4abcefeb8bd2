"""`python -m tests.payments.run_localstripe PORT`: localstripe on loopback alone, keeping nothing on disk."""

from __future__ import annotations

import sys

from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app

if __name__ == "__main__":
    Store.dump_to_disk = lambda self: None
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
