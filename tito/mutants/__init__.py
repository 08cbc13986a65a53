"""Mutating reference solutions: would the checks notice?"""
