"""Pages of notices: the bell, one's own, and the organization's settings."""
