"""What survives: tasks, definitions, the journal, history, decisions."""
