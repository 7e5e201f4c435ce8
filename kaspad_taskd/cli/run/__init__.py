"""The place of `kaspad-taskctl run`, any command as a task: nothing but its tools' room yet."""
