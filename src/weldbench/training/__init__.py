"""How a network learns: batches, augmentation, loss, schedule, loop, checkpoint."""
