"""The verdict on a gait: facts, rules over them, a sentence on all."""
