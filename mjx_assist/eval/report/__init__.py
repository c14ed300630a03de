"""Pages and folders for people: the gait report with its verdict, comparisons, challenges."""
