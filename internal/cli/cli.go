// Package cli is the program: commands, flags, environment variables, exit codes.
// It turns them into calls of the other packages and their answers into text;
// it decides nothing about scenarios, measurements or checkpoints.
//
// A command is built in three steps, each with a type of its own where it is large:
// the flags as given (runFlags), the settings that they and the environment amount
// to, checked (runSettings), and the work, which takes the settings and no flag.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"omniloader/internal/bench"
	"omniloader/internal/child"
	"omniloader/internal/configfile"
	"omniloader/internal/outcome"
	"omniloader/internal/suggest"
)

// The exit codes of every command.
const (
	exitPassed    = 0 // everything selected was judged and holds
	exitFailed    = 1 // something does not hold
	exitNotJudged = 2 // something could not be judged or done
)

// Run is the program: it runs the command that args name, without the program's
// own name, and gives the exit code. Data goes to stdout, messages for people to
// stderr. An interrupt (Ctrl-C) ends a run and keeps what was measured.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// A closed pipe (into head) must not kill a run that still has files to write;
	// output ignores the error that writing to it gives instead.
	signal.Ignore(syscall.SIGPIPE)
	interrupts := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
		interrupts = append(interrupts, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), interrupts...)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	return run(ctx, args, stdin, stdout, stderr)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{out: newOutput(stdout), err: newOutput(stderr)}
	return p.execute(ctx, args, stdin)
}

// program is what the commands share.
type program struct {
	out, err *output
	args     []string // of the command line

	completions []func() error // see registerCompletion

	// The fields below are for tests, and empty otherwise.
	loader   string                                     // name of the loader under test, instead of the built-in one
	listener outcome.Listener                           // gets the events of a run too
	sampler  func() (child.Command, error)              // makes the command of a process that samples, instead of this program
	sampling *bench.Sampling                            // the sampling plan, instead of the default one
	pause    func(ctx context.Context, d time.Duration) // instead of waiting
	grace    time.Duration                              // instead of that of the suite

	timeNotJudged string // why run does not judge bounds on time; for tests, and "" otherwise
}

func (p *program) execute(ctx context.Context, args []string, stdin io.Reader) int {
	p.args = args
	root := p.rootCommand()
	p.registerCompletions(args)
	root.SetArgs(append([]string{}, args...)) // with nil, cobra takes the arguments of the process
	root.SetIn(stdin)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = standardOutput(p.out.err)
	}
	switch {
	case err == nil:
		return exitPassed
	case errors.Is(err, errFailed):
		return exitFailed
	}
	p.complain(err)
	return exitNotJudged
}

// rootCommand makes new commands for each call, since cobra keeps the flags of a call in them.
func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "omniloader",
		Short: "Checks and measures what a model loader promises",
		Long: `omniloader checks and measures what a model loader promises, scenario by
scenario, and says what a checkpoint on disk is.

Without a command it runs every built-in scenario on checkpoints that it makes in
memory: there is nothing to install or prepare. Where omniloader.yaml in the working
directory names paths, it runs these.`,
		Example: `  omniloader                              run every built-in scenario
  omniloader run --category sae           run one category
  omniloader run my.feature:12            run the scenario at line 12 of a file of your own
  omniloader inspect ~/models/llama-3-8b  say what a checkpoint is
  omniloader record ~/models/llama-3-8b   write a feature file that describes it
  omniloader init                         write a first feature and a CI job of your own
  omniloader tokenize ~/models/gpt2 "Hi"  turn a text into tokens`,
		Args:          p.refuseArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(p.out) // before InitDefaultCompletionCmd, which copies it
	root.SetErr(p.err)
	flags := newRunFlags(root)
	p.completeRunFlags(root, flags)
	version := root.Flags().Bool("version", false, "print version, commit, Go version and platform")
	configfile.Exclude(root.Flags(), "version")
	root.RunE = func(c *cobra.Command, _ []string) error {
		if *version {
			return p.printOwnVersion(false)
		}
		return p.runWithFlags(c.Context(), flags, nil)
	}
	root.AddCommand(p.runCommand(), p.lintCommand(), p.inspectCommand(), p.recordCommand(), p.initCommand(), p.presetsCommand(), p.findingsCommand(), p.tokenizeCommand(), p.compareCommand(), p.mergeCommand(), p.stepsCommand(),
		p.versionCommand(), p.benchCommand(), p.selftestCommand(), p.sampleCommand(), p.freshCommand())
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if err = explainFlag(c, err); c == root || c.Name() == "run" || c.Name() == "merge" {
			return p.nothingRan(outputsNamed(p.args), err)
		}
		return err
	})
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	refuseUnknownShells(root)
	if !asksForCompletion(p.args) { // then cobra parses the flags twice
		refuseRepeated(root)
	}
	return root
}

// refuseArguments refuses arguments without a command, and says what may be meant.
func (p *program) refuseArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if _, err := os.Stat(strings.TrimRight(args[0], "0123456789:")); err == nil || strings.Contains(args[0], ".feature") {
		return errorWithHint("to run it: omniloader run "+args[0], "unknown command %q", args[0])
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return errorWithHint(suggest.DidYouMean(args[0], names), "unknown command %q", args[0])
}

const helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{.UsageString}}`

// Annotations of a command: what its exit codes mean. A command without meaningOf1
// never ends with exit code 1.
const (
	meaningOf0 = "exit 0"
	meaningOf1 = "exit 1"
	meaningOf2 = "exit 2"

	usualMeaningOf0 = "done"
	usualMeaningOf2 = "could not be done: a wrong flag or argument"
)

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
  0  {{with index .Annotations "` + meaningOf0 + `"}}{{.}}{{else}}` + usualMeaningOf0 + `{{end}}
{{with index .Annotations "` + meaningOf1 + `"}}  1  {{.}}
{{end}}  2  {{with index .Annotations "` + meaningOf2 + `"}}{{.}}{{else}}` + usualMeaningOf2 + `{{end}}
{{if .HasAvailableSubCommands}}
"{{.CommandPath}} COMMAND --help" says more about a command.
{{end}}`
