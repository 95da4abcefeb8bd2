"""Which Host headers pages answer to: a name of ALLOWED_HOSTS, at the port of SITE_URL.

Django looks at the name alone. Whoever reads metrics asks a machine, whatever they call
it; a proxy that asks for its client sends the name that client called.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase
from django.http.request import split_domain_port

from config.kit.doors import is_ext_authz
from config.kit.middleware import is_page

GetResponse = Callable[[HttpRequest], HttpResponseBase]
METRICS = "/metrics"
DEFAULT_PORTS = {"http": "80", "https": "443"}


class KnownHost:
    """Off loopback, raise DisallowedHost (400) for a page at another port than those of
    SITE_URL and CSRF_TRUSTED_ORIGINS (S8): nothing that counts or links by the Host
    header sees as many hosts as there are ports.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        site = urlsplit(settings.SITE_URL)
        self.host = site.netloc
        origins = [settings.SITE_URL, *settings.CSRF_TRUSTED_ORIGINS]
        self.ports = {"", *map(_port_of, origins)}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == METRICS or is_ext_authz(request.path_info):
            # Scraped inside a container by 127.0.0.1, which no ALLOWED_HOSTS lists; health
            # was answered before (`config.health.Probes`). Envoy sends on the Host header
            # of its client. Neither answer depends on it.
            request.META["HTTP_HOST"] = self.host
        elif not settings.LOOPBACK and is_page(request):
            self._refuse_other_ports(request)
        return self.get_response(request)

    def _refuse_other_ports(self, request: HttpRequest) -> None:
        _name, port = split_domain_port(request.get_host())
        if port not in self.ports:
            raise DisallowedHost(f"Invalid port in the Host header: {port}")


def _port_of(origin: str) -> str:
    parts = urlsplit(origin)
    return str(parts.port or DEFAULT_PORTS.get(parts.scheme, ""))
