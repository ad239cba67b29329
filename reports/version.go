package reports

// Version is the version of the rendering: it is raised whenever the same rows of the same spec make other bytes, and every report that
// an earlier version wrote is stale then. A test holds what this version makes of two fixed databases.
const Version = 2
