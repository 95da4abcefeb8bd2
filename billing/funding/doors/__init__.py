"""Checks in the dialects of gateways and of Claude Code: each asks what `POST
/authorize` asks, and answers as its client understands.

A body they are sent may hold a prompt. It is never read, but for the name of a hook's
event, and never kept.
"""
