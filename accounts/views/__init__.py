"""Pages of organizations and people, one file a page."""
