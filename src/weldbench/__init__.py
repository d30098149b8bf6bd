"""A reproducible comparison of weld-defect classifiers on TIG welding camera frames."""
