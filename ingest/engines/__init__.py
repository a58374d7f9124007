"""Where the steps of one document run: same chunks, same output, whatever the engine."""
