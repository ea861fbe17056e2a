package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omniloader/internal/report"
	"omniloader/internal/suggest"
)

// completeFailOn completes the last word of the list that --fail-on takes.
func (p *program) completeFailOn(c *cobra.Command, f *failOn) {
	p.registerCompletion(c, "fail-on", func(typed string) ([]string, cobra.ShellCompDirective) {
		before, last := "", typed
		if at := strings.LastIndexByte(typed, ','); at >= 0 {
			before, last = typed[:at+1], typed[at+1:]
		}
		used := strings.Split(strings.TrimSuffix(before, ","), ",")
		var lists []string
		for _, word := range append([]string{"none"}, f.known()...) {
			if strings.HasPrefix(word, last) && !slices.Contains(used, word) && (word != "none" || before == "") {
				lists = append(lists, before+word)
			}
		}
		return lists, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
}

// completeComparison completes the NAME of --comparison NAME:FILE, and leaves the file to
// the shell.
func (p *program) completeComparison(c *cobra.Command) {
	p.registerCompletion(c, "comparison", func(typed string) ([]string, cobra.ShellCompDirective) {
		if strings.Contains(typed, ":") {
			return nil, cobra.ShellCompDirectiveDefault
		}
		var names []string
		for _, name := range report.ComparisonFormatNames() {
			names = append(names, name+":")
		}
		return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
}

// completeRevisions completes a flag with the branches, tags and remote branches of the git
// repository of the current directory.
func (p *program) completeRevisions(c *cobra.Command, flag string) {
	p.registerCompletion(c, flag, func(string) ([]string, cobra.ShellCompDirective) {
		const longest = 2 * time.Second // nobody waits longer for a completion
		ctx, cancel := context.WithTimeout(context.Background(), longest)
		defer cancel()
		out, err := tool{}.output(ctx, "git", "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes")
		if err != nil || out == "" {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return append([]string{"HEAD", "HEAD~1"}, strings.Split(out, "\n")...), cobra.ShellCompDirectiveNoFileComp
	})
}

// registerCompletion completes the value of a flag, which must exist. Cobra is told only
// where a shell asks for a completion, see registerCompletions: it keeps every command that
// has one for as long as the process lasts.
func (p *program) registerCompletion(c *cobra.Command, flag string, complete func(typed string) ([]string, cobra.ShellCompDirective)) {
	p.completions = append(p.completions, func() error {
		return c.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			return complete(typed)
		})
	})
}

// asksForCompletion tells whether the arguments are those of a shell that asks for a
// completion.
func asksForCompletion(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// refuseUnknownShells makes "completion SHELL" an error for a shell that cobra does not know;
// by itself it prints its help then.
func refuseUnknownShells(root *cobra.Command) {
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.RunE = func(c *cobra.Command, args []string) error {
			var shells []string
			for _, sub := range c.Commands() {
				shells = append(shells, sub.Name())
			}
			if len(args) == 0 {
				return c.Help()
			}
			return errorWithHint(suggest.DidYouMean(args[0], shells), "no completion for the shell %q", args[0])
		}
		c.Args = nil
	}
}

// registerCompletions tells cobra the completions if the arguments are those of a shell that
// asks for one.
func (p *program) registerCompletions(args []string) {
	if !asksForCompletion(args) {
		return
	}
	for _, register := range p.completions {
		if err := register(); err != nil {
			panic(err) // the command has no such flag
		}
	}
}
