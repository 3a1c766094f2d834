"""Streams of answers: fetched chunk by chunk, shown as they come, and made a result of."""
