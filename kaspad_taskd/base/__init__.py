"""What every room may use and nothing of ours stands below: time, files, tables, values, JSON."""
