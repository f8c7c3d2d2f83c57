"""What the service says on its own: letters, reminders, warnings, and how they reach people."""
