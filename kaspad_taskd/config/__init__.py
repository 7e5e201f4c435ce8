"""What people write: the settings, the task definitions, and the way back to TOML."""
