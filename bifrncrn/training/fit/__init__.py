"""The least-squares problem of a fit and how it is solved."""
