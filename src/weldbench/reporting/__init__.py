"""Tables, figures, sentences and the report: what a person reads of a comparison."""
