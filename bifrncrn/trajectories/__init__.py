"""Solutions in time, and what they settle to."""
