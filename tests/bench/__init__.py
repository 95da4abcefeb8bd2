"""`make bench`: the real server on PostgreSQL, measured beside bare views in one run;
and, where they are installed, LiteLLM and Envoy asking it beside themselves alone.

Prints figures and ratios; asserts nothing.
"""
