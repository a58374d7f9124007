"""Raw document -> article: pure steps, no network, no clock, no global state."""
