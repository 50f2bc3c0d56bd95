"""A capability file's text -> values that know their places, and all that is wrong with them."""
