"""How a curve is followed; nothing here knows a particular kind of curve."""
