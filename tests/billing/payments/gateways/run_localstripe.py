"""`python -m tests.billing.payments.gateways.run_localstripe FD`: localstripe at a
socket that listens already, keeping nothing on disk.
"""

from __future__ import annotations

import socket
import sys

from aiohttp import web
from localstripe.errors import UserError
from localstripe.resources import PaymentIntent, Store
from localstripe.server import app

create = PaymentIntent._api_create


def create_as_endive(
    allowed_payment_method_types=None, payment_method_types=None, **data
):
    """localstripe speaks an older version of the API: the new name of the parameter is
    translated, the old one refused.
    """
    if payment_method_types is not None:
        raise UserError(400, "Received unknown parameter: payment_method_types")
    return create(payment_method_types=allowed_payment_method_types, **data)


if __name__ == "__main__":
    Store.dump_to_disk = lambda self: None
    PaymentIntent._api_create = create_as_endive
    web.run_app(
        app, sock=socket.socket(fileno=int(sys.argv[1])), print=None, access_log=None
    )
