"""`kaspad-taskctl run -- COMMAND`: any long command is a task while it runs."""
