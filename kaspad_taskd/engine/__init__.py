"""The only writer: tasks change here, and here alone."""
