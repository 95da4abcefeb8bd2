"""Which headers tell the doors of gateways who asks (docs/gateways/envoy.md)."""

from __future__ import annotations

from config.settings.start import env

DOOR_MEMBER_HEADER = env.header("DOOR_MEMBER_HEADER", default="x-extra-usage-member")
DOOR_SURFACE_HEADER = env.header("DOOR_SURFACE_HEADER", default="x-extra-usage-surface")
