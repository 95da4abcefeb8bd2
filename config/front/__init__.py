"""What stands between the server's event loop and Django: it gathers bodies, refuses
what nobody may send, and hands each call to a lane of threads.

No client holds a thread by being slow, in sending or in reading. Knows HTTP and the
paths below, and nothing else of the product.
"""
