"""The outside world: sources, crawling, engines, storage and the commands."""
