"""What a text costs a model, about."""

BYTES_A_TOKEN = 4  # of JSON; the usual tokenizers come close to it


def estimate_tokens(size: int) -> int:
    """Tokens of `size` bytes of JSON."""
    return -(-size // BYTES_A_TOKEN)
