"""Networks trained to behave as a target does, judged by what they do."""
