"""Telling people in time (N1-N5): what was crossed, who is told, by which channel.

Stands below caps, payments, metering and documents, whose acts write its facts in their
own transaction; it decides nothing about money.
"""
