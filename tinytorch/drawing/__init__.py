"""Drawings of graphs, training runs and profiles, for notebooks and for the milestones' figures. Given."""
