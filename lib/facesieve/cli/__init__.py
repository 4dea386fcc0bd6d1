"""What a person types: arguments, exit codes, summaries, undo, describe."""
