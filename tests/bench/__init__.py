"""`make bench`: the real server on PostgreSQL, measured beside bare views in one run.

Prints ratios; asserts nothing.
"""
