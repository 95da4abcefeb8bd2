"""Tries one delivery to a channel in a process of its own, to be killed in the middle:
`python -m tests.concurrency.channel_worker DELIVERY`.
"""

from __future__ import annotations

import os
import sys

import django


def main() -> None:
    """Deliver it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from billing.notices import processing

    processing.deliver(int(sys.argv[1]))


if __name__ == "__main__":
    main()
