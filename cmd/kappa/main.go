// Command kappa is a laboratory notebook for model immunization: it runs what an experiment file asks for, records every
// run in one database and renders the file into a report. See README.md.
package main

import (
	"context"
	"os"

	"kappa/cmd/internal/cli"
	"kappa/engine/blas"
)

func main() {
	blas.Install()
	os.Exit(cli.Run(context.Background(), os.Args[1:], cli.System()))
}
