"""Extra usage for LiteLLM's proxy: `callbacks: extra_usage_litellm.hook` in config.yaml.

Settings are the variables `EXTRA_USAGE_…` of the client library, and EXTRA_USAGE_SURFACE.
"""

from extra_usage_litellm.callbacks import ExtraUsageHook, hook_from_environment

hook = hook_from_environment()

__all__ = ["ExtraUsageHook", "hook", "hook_from_environment"]
