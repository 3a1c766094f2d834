"""Files out of Hugging Face repositories: found where they lie, else downloaded. Knows no model library."""
