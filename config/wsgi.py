"""Django's own WSGI entry, for `runserver`. What customers reach is `config.asgi`, which
stands in front of it.
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
