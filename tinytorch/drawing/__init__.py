"""Pictures of graphs, of trainings and of profiles, for notebooks and for the milestones' figures. Given."""
