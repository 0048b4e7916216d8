"""What knows nothing of the subject: errors, checks, files, tables, polylines."""
