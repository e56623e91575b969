"""What of kits comes back and what does not: overdue, lost, cleared; and what a lost one has cost the partner."""
