"""Reports in the dialects of others: telemetry of clients and gateways."""
