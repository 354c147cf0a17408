"""The Gibbs sampler behind the Bayesian factorisation: one sweep draws every parameter given the others."""
