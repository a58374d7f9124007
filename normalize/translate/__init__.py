"""Translation: what is checked in a translated sentence, and what is kept out of it."""
