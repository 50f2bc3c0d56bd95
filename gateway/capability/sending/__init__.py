"""Arguments -> the request that goes out, every value kept in its place."""
