package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"omniloader/internal/bench"
	"omniloader/internal/suggest"
)

// The environment variables that stand in for flags.
const (
	envIterations = "BENCHMARK_ITERATIONS"
	envWarmup     = "BENCHMARK_WARMUP"
	envModel      = "TEST_MODEL_PATH"
	envOutput     = "OMNILOADER_OUTPUT"
)

// Environment is what the environment variables ask for.
type Environment struct {
	Plan   bench.Plan
	Model  string // directory of a real checkpoint, or ""
	Output string // path of the results file to write, or ""
}

// ReadEnvironment reads the variables that every way of running scenarios
// honours; an empty variable counts as unset. The error names the variable.
func ReadEnvironment() (Environment, error) {
	return readEnvironment(func(string) bool { return false })
}

// readEnvironment passes over the variables that a flag has overruled.
func readEnvironment(overruled func(variable string) bool) (Environment, error) {
	e := Environment{Plan: bench.DefaultPlan(), Model: os.Getenv(envModel), Output: os.Getenv(envOutput)}
	for _, v := range []struct {
		name   string
		number *int
		least  int
	}{{envIterations, &e.Plan.Iterations, 1}, {envWarmup, &e.Plan.Warmup, 0}} {
		text := os.Getenv(v.name)
		if text == "" || overruled(v.name) {
			continue
		}
		n, err := parseCount(text, v.least)
		if err != nil {
			return e, unable("unset it, or set it to a number such as 100", "environment variable %s: %q: %w", v.name, text, err)
		}
		*v.number = n
	}
	if e.Model != "" && !overruled(envModel) {
		if err := isDirectory(e.Model); err != nil {
			return e, unable("set it to the directory of a checkpoint, or unset it", "environment variable %s: %w", envModel, err)
		}
	}
	return e, nil
}

func isDirectory(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		var pathErr *os.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return fmt.Errorf("%s: %w", path, err)
	case !info.IsDir():
		return fmt.Errorf("%s: not a directory", path)
	}
	return nil
}

// maxCount is more iterations than anyone waits for; the samples of that many
// calls still fit in memory.
const maxCount = 10_000_000

func parseCount(text string, least int) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < least || n > maxCount {
		return 0, fmt.Errorf("not a whole number from %d to %d", least, maxCount)
	}
	return n, nil
}

// count is the value of a flag that takes a whole number.
type count struct {
	n     int
	least int
}

var _ pflag.Value = (*count)(nil)

func (c *count) Type() string { return "N" }

// String is what help shows as the default.
func (c *count) String() string { return strconv.Itoa(c.n) }

func (c *count) Set(text string) (err error) {
	c.n, err = parseCount(text, c.least)
	return err
}

// explainFlag adds a hint to what pflag says of a wrong flag.
func explainFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return hinted{err, fmt.Sprintf("%q lists the flags", c.CommandPath()+" --help")}
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	name := strings.TrimLeft(unknown.GetSpecifiedName(), "-")
	if near, ok := suggest.Nearest(name, names); ok {
		return hinted{err, fmt.Sprintf("did you mean \"--%s\"?", near)}
	}
	return hinted{err, fmt.Sprintf("%q lists the flags", c.CommandPath()+" --help")}
}

func didYouMean(word string, known []string) string { return suggest.DidYouMean(word, known) }
