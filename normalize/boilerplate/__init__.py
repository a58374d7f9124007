"""What sites print around their stories: phrases per language, credits of agencies, lines that give themselves away."""
