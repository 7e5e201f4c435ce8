"""What the indexers of the Kaspa world say about themselves, and what it means. Pure."""
