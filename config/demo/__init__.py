"""The demo's organizations: real acts, simulated moments.

Nothing here runs outside `manage.py demo` and tests.
"""
