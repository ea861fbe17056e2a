package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"omniloader/internal/failures"
	"omniloader/loader/finding"
)

func (p *program) findingsCommand() *cobra.Command {
	asJSON, ofFailures := false, false
	c := &cobra.Command{
		Use:   "findings [WORD…]",
		Short: "List what an inspection can find, and how to fix it",
		Long: `Lists the codes of everything that an inspection can find: its severity, what was
seen, its consequences, and how to fix it. With words, only the codes whose text has
all of them, in any case. With --failures it lists the twenty ways in which checkpoints
fail their users instead: what users see, the findings that report it, how to fix it,
and presets with that failure, for scenarios.`,
		Example: `  omniloader findings                  every code
  omniloader findings shard            those about shards
  omniloader findings HeaderTooLarge   by the message of another loader
  omniloader findings --failures       the twenty failures, and presets that have them
  omniloader findings --json | jq -r .code`,
		RunE: func(_ *cobra.Command, words []string) error {
			if ofFailures {
				return p.listFailures(words, asJSON)
			}
			return p.listFindings(words, asJSON)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var codes []string
			for _, e := range finding.Explanations() {
				codes = append(codes, e.Code+"\t"+e.Title)
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
		Annotations: map[string]string{
			meaningOf0: "listed", meaningOf2: "no code has these words, or a wrong flag",
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	c.Flags().BoolVar(&ofFailures, "failures", false, "list the ways in which checkpoints fail their users")
	return c
}

func (p *program) listFailures(words []string, asJSON bool) error {
	return listing[failures.Failure]{
		entries: failures.All(),
		text: func(f failures.Failure) string {
			return strings.Join(slices.Concat([]string{f.Title, f.Seen, f.WayOut}, f.Codes, f.Presets), "\n")
		},
		print: func(f failures.Failure) {
			fmt.Fprintf(p.out, "%s\n", p.bold(fmt.Sprintf("%d. %s", f.Number, f.Title)))
			p.printLabelled("  seen:     ", f.Seen)
			p.printLabelled("  findings: ", strings.Join(f.Codes, ", "))
			p.printLabelled("  presets:  ", strings.Join(f.Presets, ", "))
			p.printLabelled("  way out:  ", f.WayOut)
		},
		noMatch: "no failure has %s in it",
		hint:    `"omniloader findings --failures" without words lists them all`,
	}.show(p, words, asJSON)
}

func (p *program) listFindings(words []string, asJSON bool) error {
	entries := finding.Explanations()
	if e, ok := finding.Explain(strings.Join(words, " ")); ok {
		entries, words = []finding.Explanation{e}, nil // a whole code: not the longer codes that contain it
	}
	return listing[finding.Explanation]{
		entries: entries,
		text: func(e finding.Explanation) string {
			return strings.Join([]string{e.Code, e.Title, e.Means, e.WayOut, string(e.Severity)}, "\n")
		},
		print: func(e finding.Explanation) {
			fmt.Fprintf(p.out, "%s  %s, %s\n", p.bold(e.Code), p.color(string(e.Severity), severityColors[e.Severity]), e.Title)
			p.printWrapped("  ", e.Means)
			p.printLabelled("  way out: ", e.WayOut)
		},
		noMatch: "no finding has %s in it",
		hint:    `"omniloader findings" without words lists every code`,
	}.show(p, words, asJSON)
}
