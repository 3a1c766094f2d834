"""Files of Hugging Face repositories: found on the disk, else downloaded. Knows no model library."""
