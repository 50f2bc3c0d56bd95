"""Examples: do they hold, what a mock answers, and what a live call makes of them."""
