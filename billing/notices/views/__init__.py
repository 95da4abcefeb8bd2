"""Pages of notices: the bell, one's own, the organization's settings, links in mails."""
