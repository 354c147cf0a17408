"""The routes by theme: each module has a `router`; what they answer is computed below them."""
