"""A daemon under load and harm for as long as asked: which promises hold, and how often."""
