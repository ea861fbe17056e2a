package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"omniloader/steps"
)

func (p *program) stepsCommand() *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use:   "steps [WORD…]",
		Short: "List the steps that scenarios are made of",
		Long: `Lists every step that a scenario can be made of: an example to copy, what it does,
and the pattern it is matched with. With words, only the steps whose text has all of
them, in any case.`,
		Example: `  omniloader steps                  every step
  omniloader steps latency          those about latency
  omniloader steps --json | jq -r .pattern`,
		RunE:              func(_ *cobra.Command, words []string) error { return p.listSteps(words, asJSON) },
		ValidArgsFunction: cobra.NoFileCompletions,
		Annotations: map[string]string{
			meaningOf0: "listed", meaningOf2: "no step has these words, or a wrong flag",
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return c
}

func (p *program) listSteps(words []string, asJSON bool) error {
	var entries []stepEntry
	for _, d := range steps.Catalogue() {
		entries = append(entries, stepEntry(d))
	}
	group := ""
	return listing[stepEntry]{
		entries: entries,
		text: func(e stepEntry) string {
			return strings.Join([]string{e.Keyword, e.Pattern, e.Meaning, e.Example, e.Group, e.Below}, "\n")
		},
		print: func(e stepEntry) {
			if e.Group != group {
				group = e.Group
				fmt.Fprintf(p.out, "%s\n\n", p.bold(group))
			}
			fmt.Fprintf(p.out, "  %s %s\n", e.Keyword, strings.ReplaceAll(e.Example, "\n", "\n    "))
			p.printWrapped("      ", e.Meaning)
			fmt.Fprintf(p.out, "      %s  (%s)\n", e.Pattern, e.Location)
			if e.Below != "" {
				fmt.Fprintf(p.out, "      below it:\n")
				for line := range strings.SplitSeq(e.Below, "\n") {
					fmt.Fprintln(p.out, strings.TrimRight("        "+line, " "))
				}
			}
		},
		noMatch: "no step has %s in it",
		hint:    `"omniloader steps" without words lists every step`,
	}.show(p, words, asJSON)
}

// stepEntry is what steps --json prints.
type stepEntry struct {
	Keyword  string `json:"keyword"` // Given, When or Then
	Pattern  string `json:"pattern"` // a regular expression
	Meaning  string `json:"meaning"`
	Example  string `json:"example"` // a text that the pattern matches
	Group    string `json:"group"`
	Location string `json:"location"`        // file:line of its definition
	Below    string `json:"below,omitempty"` // how the table or text below it is written
}
