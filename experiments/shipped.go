package experiments

import "embed"

// Shipped holds the experiments that come with the program, as NAME.toml.
//
//go:embed *.toml
var Shipped embed.FS
