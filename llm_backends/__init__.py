"""How a language model is reached.

Knows no host, no node, no image prompt and no setting: it is handed a `Deployment` and a `Request`
and answers with a `Result`, or with one of the errors of `errors.py`.
"""
