package store

import "flag"

// long asks for the whole of the tests that take minutes; without it they do a part.
var long = flag.Bool("long", false, "run the long tests in full")
