// Omniloader checks and measures what a model loader promises, and says what a
// checkpoint on disk is. "omniloader --help" says how.
package main

import (
	"os"

	"omniloader/internal/cli"
)

func main() { os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
