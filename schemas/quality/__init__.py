"""Whether a night was good: rules for its records, its place beside earlier nights, and the page that shows both."""
