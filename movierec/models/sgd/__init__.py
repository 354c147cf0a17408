"""Stochastic gradient descent behind the SVD: its compiled loops, and the orders in which ratings are taken."""
