"""The search for a mistake: hypotheses on why a number differs, composed, solved and weighed.

A loss is computed in stages (`hypothesis`), and the modules named after what they change declare what may
have been done otherwise in each. `outcomes` composes them, `search` solves for numbers, `evidence`
weighs what is found, and `verdict` tells it.
"""
