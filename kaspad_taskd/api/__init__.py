"""What may be asked of the daemon, whatever the door it comes through."""
