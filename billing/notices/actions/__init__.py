"""Writing notices and what people chose about them."""
