package assembler

import (
	"flag"
	"fmt"
	"go/format"
	"log"
	"os"
	"path/filepath"
)

// Folder reads a generator's arguments and returns the folder that it writes to. Unknown arguments end the program.
func Folder() string {
	log.SetFlags(0)
	log.SetPrefix("gen: ")
	out := flag.String("out", ".", "folder to write to")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("unknown argument %q; usage: gen [-out FOLDER]", flag.Arg(0))
	}
	return *out
}

// Write writes a file to a folder, a Go file formatted. What fails ends the program.
func Write(folder, name string, text []byte) {
	if filepath.Ext(name) == ".go" {
		formatted, err := format.Source(text)
		if err != nil {
			log.Fatal(fmt.Errorf("%s does not parse: %w", name, err))
		}
		text = formatted
	}
	if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
		log.Fatal(err)
	}
}
