"""Lesson materials: four kinds, in versions, their pages drawn as pictures that a weak line can carry."""
