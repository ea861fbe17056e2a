package cli

import (
	"crypto/sha256"
	"debug/elf"
	"debug/gosym"
	"debug/macho"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime/debug"
	"strings"

	"omniloader/internal/bench"
)

// addOwnBuild notes in a file which build this program is.
func addOwnBuild(f *bench.File) error {
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("the program cannot find itself: %w", err)
	}
	return addBuild(f, executable)
}

// addBuild notes in a file which code sampled it: a hash of where its functions are, or
// of the whole executable where that cannot be read.
func addBuild(f *bench.File, executable string) error {
	if layout, err := hashOfFunctions(executable); err == nil {
		f.Environment[bench.LinkOrderKey] = layout
	} else {
		sum, err := hashOfFile(executable)
		if err != nil {
			return err
		}
		f.Environment[bench.BuildKey] = sum
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-ldflags" {
				f.Environment["ldflags"] = s.Value
			}
		}
	}
	return nil
}

func hashOfFile(executable string) (string, error) {
	program, err := os.Open(executable)
	if err != nil {
		return "", fmt.Errorf("the program cannot read itself: %w", err)
	}
	defer program.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, program); err != nil {
		return "", fmt.Errorf("the program cannot read itself: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// hashOfFunctions is a hash of the names and addresses of an executable's functions.
// Addresses alone move a benchmark by 5 % and more; the other differences between two
// builds (the commit stamped into them, -trimpath, symbols, the text of messages) move
// nothing.
//
// Functions that no benchmark runs are left out: those of this package, of main, and of
// FIPS 140. The linker puts them last, so that they do not move the others.
func hashOfFunctions(executable string) (string, error) {
	table, text, err := functionTable(executable)
	if err != nil {
		return "", err
	}
	symbols, err := gosym.NewTable(nil, gosym.NewLineTable(table, text))
	if err != nil {
		return "", fmt.Errorf("%s: table of functions: %w", executable, err)
	}
	if len(symbols.Funcs) == 0 {
		return "", fmt.Errorf("%s: no function in its table", executable)
	}
	sum := sha256.New()
	for _, f := range symbols.Funcs {
		if !neverMeasured(f.Name) {
			fmt.Fprintf(sum, "%s %x\n", f.Name, f.Entry)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

var thisPackage = reflect.TypeFor[program]().PkgPath() + "."

func neverMeasured(function string) bool {
	for _, prefix := range []string{thisPackage, "main.", "crypto/internal/fips140", "go:textfips"} {
		if strings.HasPrefix(function, prefix) {
			return true
		}
	}
	return false
}

// functionTable reads the table of functions that every Go program has, stripped or not,
// and the address of its machine code.
func functionTable(executable string) (table []byte, text uint64, err error) {
	if f, err := elf.Open(executable); err == nil {
		defer f.Close()
		for _, s := range f.Sections {
			switch {
			case s.Name == ".text":
				text = s.Addr
			case strings.HasSuffix(s.Name, ".gopclntab"): // .data.rel.ro.gopclntab where it is position-independent
				if table, err = s.Data(); err != nil {
					return nil, 0, fmt.Errorf("%s: %w", executable, err)
				}
			}
		}
	} else if f, err := macho.Open(executable); err == nil {
		defer f.Close()
		for _, s := range f.Sections {
			switch s.Name {
			case "__text":
				text = s.Addr
			case "__gopclntab":
				if table, err = s.Data(); err != nil {
					return nil, 0, fmt.Errorf("%s: %w", executable, err)
				}
			}
		}
	}
	if table == nil || text == 0 {
		return nil, 0, errors.New(executable + ": no table of functions that can be read")
	}
	return table, text, nil
}
