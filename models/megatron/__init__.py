"""megatron-core run by this project: the reference its own engine is held against."""
