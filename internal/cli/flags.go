package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"omniloader/internal/suggest"
)

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

// share is the value of a flag that takes a share: 5% or 0.05.
type share struct{ value float64 }

var _ pflag.Value = (*share)(nil)

func (s *share) Type() string   { return "SHARE" }
func (s *share) String() string { return fmt.Sprintf("%.4g%%", s.value*100) }

func (s *share) Set(text string) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	var value float64
	if _, err := fmt.Sscanf(number+"\n", "%g\n", &value); err != nil {
		return errors.New("not a share such as 5%")
	}
	if percent {
		value /= 100
	}
	if !(value >= 0 && value < 1) {
		return errors.New("a share is from 0% to below 100%")
	}
	s.value = value
	return nil
}

// onceValue is the value of a flag that counts once. It is an error to give it twice: the
// value that does not count would be lost without a word.
type onceValue struct {
	pflag.Value
	given bool
}

func (v *onceValue) Set(text string) error {
	if v.given {
		return fmt.Errorf("the flag counts once, and was given before as %q", v.String())
	}
	v.given = true
	return v.Value.Set(text)
}

// refuseRepeated makes it an error to give a flag of a command twice, but for those that
// take several values and those without a value.
func refuseRepeated(c *cobra.Command) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if _, isList := f.Value.(pflag.SliceValue); !isList && f.Value.Type() != "bool" {
			f.Value = &onceValue{Value: f.Value}
		}
	})
	for _, sub := range c.Commands() {
		refuseRepeated(sub)
	}
}

// refuseTogether makes it an error to give two of these flags of a command.
func refuseTogether(c *cobra.Command, flags ...string) {
	before := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		var given []string
		for _, f := range flags {
			if c.Flags().Changed(f) {
				given = append(given, "--"+f)
			}
		}
		if len(given) > 1 {
			return errorWithHint("give one of them", "%s cannot be used together", strings.Join(given, " and "))
		}
		if before != nil {
			return before(c, args)
		}
		return nil
	}
}

// noArguments refuses arguments with a hint.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return errorWithHint(helpHint(c, "what it takes"), "%s takes no arguments, found %q", c.CommandPath(), args[0])
	}
	return nil
}

// helpHint names the command that prints the help, and what of it is wanted.
func helpHint(c *cobra.Command, wanted string) string {
	return fmt.Sprintf("%q lists %s", c.CommandPath()+" --help", wanted)
}

// explainFlag adds a hint to the error that pflag gives for a wrong flag.
func explainFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return hintedError{err, helpHint(c, "the flags")}
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	name := strings.TrimLeft(unknown.GetSpecifiedName(), "-")
	if near, ok := suggest.Nearest(name, names); ok {
		return hintedError{err, suggest.Question("--" + near)}
	}
	return hintedError{err, helpHint(c, "the flags")}
}

// completeDirectories is a cobra completion of arguments that name directories.
func completeDirectories(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeFiles is a cobra completion of arguments that name files with an extension.
func completeFiles(extension string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{extension}, cobra.ShellCompDirectiveFilterFileExt
	}
}

// completeFlag completes the value of a flag with words. The flag must exist.
func (p *program) completeFlag(c *cobra.Command, flag string, words func() []string) {
	p.registerCompletion(c, flag, func(string) ([]string, cobra.ShellCompDirective) {
		return words(), cobra.ShellCompDirectiveNoFileComp
	})
}
