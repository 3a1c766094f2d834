"""From a model's answer to what was asked for: values, a prompt, or a refusal."""
