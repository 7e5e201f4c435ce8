"""What programs tell of their own progress, one file a program. Pure: text to readings."""
