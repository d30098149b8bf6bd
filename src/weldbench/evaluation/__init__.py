"""From predictions to scores with their uncertainty."""
