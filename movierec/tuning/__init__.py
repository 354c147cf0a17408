"""Choosing hyperparameters on the validation part: what a trial does, how trials run, which ones are tried."""
