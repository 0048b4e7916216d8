"""Reports as one HTML page that needs nothing else: pictures to point at, tables, equations, how it was computed."""
