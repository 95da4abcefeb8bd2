"""What operators are told: heartbeats of jobs, measures, and health of worker and beat."""
