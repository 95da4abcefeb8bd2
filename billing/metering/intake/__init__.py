"""Foreign payloads as reported events. Pure: bytes in, plain values out; the doors
record them.
"""
