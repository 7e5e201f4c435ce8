"""What the daemon and systemd tell each other. Without systemd every word is simply not said."""
