"""Types for anything: JSON over HTTP, a program that looks, a script that reports."""
