"""What an author may write inside a value: templates, conditions, JSONPath."""
