"""Switching services to the local node: proven to work there, or back where they were."""
