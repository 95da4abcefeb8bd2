"""What events cost at other prices. Read-only."""
