"""What could keep Khala from working on this machine, found before it does, each with the next step."""
