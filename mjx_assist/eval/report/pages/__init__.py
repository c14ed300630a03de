"""Pages of everything but one gait: comparisons, challenges, the zoo, studies, design searches, validations."""
