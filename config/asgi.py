"""The entry of the web process (`python -m config.serve`): Django's WSGI application
behind the front that gathers bodies and hands out threads.
"""

import gc
import os
import sys

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
wsgi = get_wsgi_application()

from config.front.application import Front  # noqa: E402  (needs settings)
from config.front.orphans import end_with_parent  # noqa: E402

# What is loaded now stays: without it the collector looks through all of it again and
# again while batches are recorded.
gc.collect()
gc.freeze()
end_with_parent()
# A thread that makes a long report hands the interpreter on ten times as often as by
# default (5 ms), so a check beside several of them doesn't wait for each in turn.
sys.setswitchinterval(0.0005)
application = Front(wsgi, threads=settings.WEB_THREADS)
