"""The rules of the house, pure: no clock, no file, no socket, no logging."""
