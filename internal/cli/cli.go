// Package cli is the program: commands, flags, environment variables, exit codes.
// It turns them into calls of the other packages and their answers into text;
// it decides nothing about scenarios, measurements or checkpoints.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/report"
	"omniloader/internal/suite"
	"omniloader/loader/fault"
)

// The exit codes of every command.
const (
	exitHeld   = 0 // every promise holds
	exitBroken = 1 // one does not
	exitUnable = 2 // could not judge
)

// Run is the program: it runs the command that args name, without the program's
// own name, and gives the exit code. Data goes to stdout, words for people to
// stderr. An interrupt (Ctrl-C) ends a run and keeps what was measured.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// A reader that went away (a pipe into head) must not kill a run that still
	// has files to write; pipe turns the error into silence.
	signal.Ignore(syscall.SIGPIPE)
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup does
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	return run(ctx, args, stdin, stdout, stderr)
}

// awaited is the answer of something that reads the disk, or the error of an
// interrupt where that comes first: a file system may keep its caller waiting for
// ever, as one on a network that is down does, and an interrupt must not wait for
// it. What is then still being done ends with the program.
func awaited[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	given := make(chan answer, 1)
	go func() {
		value, err := do()
		given <- answer{value, err}
	}()
	select {
	case a := <-given:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, unable("", "interrupted")
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{out: newSink(stdout), err: newSink(stderr)}
	return p.execute(ctx, args, stdin)
}

func (p *program) execute(ctx context.Context, args []string, stdin io.Reader) int {
	root := p.rootCommand()
	root.SetArgs(append([]string{}, args...)) // nil would stand for the process's own
	root.SetIn(stdin)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = standardOutput(p.out.err)
	}
	switch {
	case err == nil:
		return exitHeld
	case errors.Is(err, errBroken):
		return exitBroken
	}
	p.complain(err)
	return exitUnable
}

// errBroken ends a command with exit code 1. What broke has been said already.
var errBroken = errors.New("a promise does not hold")

// program is what the commands share.
type program struct {
	out, err *sink
	watch    outcome.Listener // sees the events of a run too; for tests, else nil
	// sampler makes the command of a process that samples; nil runs this program.
	sampler  func(context.Context) (*exec.Cmd, error)
	sampling *bench.Sampling                      // nil means the default; for tests
	pause    func(context.Context, time.Duration) // nil means to wait; for tests
}

// complain writes an error and its hint for people.
func (p *program) complain(err error) {
	var problems suite.Problems
	if !errors.As(err, &problems) {
		p.complainOnce("omniloader: "+err.Error(), fault.HintOf(err))
		return
	}
	for _, problem := range problems {
		p.complainOnce(problem.Error(), problem.Hint())
	}
}

func (p *program) complainOnce(message, hint string) {
	fmt.Fprintln(p.err, message)
	if hint != "" {
		fmt.Fprintln(p.err, "  hint: "+hint)
	}
}

func (p *program) note(format string, args ...any) {
	fmt.Fprintf(p.err, "note: "+format+"\n", args...)
}

// hinted is an error with a way out.
type hinted struct {
	error
	hint string
}

func (h hinted) Hint() string  { return h.hint }
func (h hinted) Unwrap() error { return h.error }

// unable is an error for people, with a hint or "".
func unable(hint, format string, args ...any) error {
	return hinted{fmt.Errorf(format, args...), hint}
}

// sink is one of the program's outputs. Once its reader has gone away it takes
// everything and keeps nothing; any other failure to write is remembered.
type sink struct {
	w        io.Writer
	terminal bool
	width    int // columns, 0 where it is no terminal
	gone     bool
	err      error
}

func newSink(w io.Writer) *sink {
	s := &sink{w: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.terminal = true
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			s.width = width
		}
	}
	return s
}

func (s *sink) Write(b []byte) (int, error) {
	if s.gone {
		return len(b), nil
	}
	n, err := s.w.Write(b)
	switch {
	case err == nil:
	case errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe):
		s.gone = true
		return len(b), nil
	case s.err == nil:
		s.err = err
	}
	return n, err
}

func standardOutput(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("standard output: %w", err)
}

// options says what the sink can show. NO_COLOR and TERM=dumb ask for no
// colours; see https://no-color.org.
func (s *sink) options() report.Options {
	return report.Options{
		Width: s.width,
		Color: s.terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
}

// rootCommand builds the commands afresh: cobra's keep the state of a call.
func (p *program) rootCommand() *cobra.Command {
	bare := &runSettings{}
	root := &cobra.Command{
		Use:   "omniloader",
		Short: "Checks and measures what a model loader promises",
		Long: `omniloader checks and measures what a model loader promises, scenario by
scenario, and says what a checkpoint on disk is.

Without a command it runs every built-in scenario on checkpoints that it makes in
memory: there is nothing to install or prepare.`,
		Example: `  omniloader                              run every built-in scenario
  omniloader run --category sae           run one category
  omniloader run my.feature:12            run the scenario at line 12 of a file of your own
  omniloader inspect ~/models/llama-3-8b  say what a checkpoint is
  omniloader record ~/models/llama-3-8b   write a feature file that describes it
  omniloader init                         write a first feature and a CI job of your own
  omniloader tokenize ~/models/gpt2 "Hi"  turn a text into tokens`,
		Args:          p.noSuchCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return p.run(c, bare, nil) },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(p.out) // cobra's completion command takes it when it is made
	root.SetErr(p.err)
	p.runFlags(root, bare)
	root.AddCommand(p.runCommand(), p.inspectCommand(), p.recordCommand(), p.initCommand(), p.findingsCommand(), p.tokenizeCommand(), p.compareCommand(), p.stepsCommand(),
		p.versionCommand(), p.benchCommand(), p.selftestCommand(), p.sampleCommand(), p.freshCommand())
	root.SetFlagErrorFunc(explainFlag)
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

// noSuchCommand refuses what follows the bare command.
func (p *program) noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if _, err := os.Stat(strings.TrimRight(args[0], "0123456789:")); err == nil || strings.Contains(args[0], ".feature") {
		return unable("to run it: omniloader run "+args[0], "unknown command %q", args[0])
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return unable(didYouMean(args[0], names), "unknown command %q", args[0])
}

const helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{.UsageString}}`

const usageTemplate = `Usage:
{{if .Runnable}}  {{.UseLine}}
{{end}}{{if .HasAvailableSubCommands}}  {{.CommandPath}} COMMAND [flags]
{{end}}{{if .HasExample}}
Examples:
{{.Example}}
{{end}}{{if .HasAvailableSubCommands}}
Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{with .Annotations.environment}}
Environment:
{{.}}
{{end}}
Exit codes:
  0  {{with .Annotations.held}}{{.}}{{else}}done{{end}}
{{with .Annotations.broken}}  1  {{.}}
{{end}}  2  {{with .Annotations.unable}}{{.}}{{else}}could not be done: a wrong flag or argument{{end}}
{{if .HasAvailableSubCommands}}
"{{.CommandPath}} COMMAND --help" says more about a command.
{{end}}`
