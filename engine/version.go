package engine

// Version counts the versions of what the engine computes: it is part of every run's key and is raised when any result
// changes by more than rounding. A test holds digests of small results of every method against it.
const Version = 2
