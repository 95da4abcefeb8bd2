"""Reading notices: what is new to a person, and all of a month."""
