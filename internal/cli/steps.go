package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"omniloader/internal/snippet"
	"omniloader/internal/suite"
	"omniloader/steps"
)

func (p *program) stepsCommand() *cobra.Command {
	asJSON, snippetOf, usage := false, "", usageFlags{}
	c := &cobra.Command{
		Use:   "steps [WORD… | FEATURE…]",
		Short: "List the steps that scenarios are made of",
		Long: `Lists every step that a scenario can be made of: an example to copy, what it does,
the pattern it is matched with, and how a table or text below it is written. With words,
only the steps whose text has all of them, in any case.

With --usage it lists the steps that the scenarios of feature files and folders use, the
built-in ones without any: how often, where, and how long they took in the last run of
these features, slowest first. With --unused it lists the steps that none of them uses.

With --snippet it prints the Go code that defines a step of this text, for a program that
runs the steps with godog and adds its own; omniloader itself cannot be given more steps.`,
		Example: `  omniloader steps                  every step
  omniloader steps latency          those about latency
  omniloader steps --usage features/
  omniloader steps --unused features/
  omniloader steps --snippet 'Given the moon is "full"'
  omniloader steps --json | jq -r .pattern`,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case c.Flags().Changed("snippet"):
				return p.printSnippet(snippetOf, args)
			case usage.usage || usage.unused:
				return p.showUsage(c.Context(), &usage, args, asJSON)
			case usage.runFile != "":
				return errorWithHint("add --usage", "--run-file is for --usage")
			}
			return p.listSteps(args, asJSON)
		},
		ValidArgsFunction: completeFiles("feature"),
		Annotations: map[string]string{
			meaningOf0: "listed", meaningOf2: "no step has these words, a feature that does not parse, or a wrong flag",
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	c.Flags().BoolVar(&usage.usage, "usage", false, "list where steps are used, slowest first")
	c.Flags().BoolVar(&usage.unused, "unused", false, "list the steps that no scenario uses")
	c.Flags().StringVar(&usage.runFile, "run-file", "", "take durations from this run `FILE` (default:\n.omniloader/last-run.json beside the features)")
	c.Flags().StringVar(&snippetOf, "snippet", "", "print the Go code that defines a step of this `TEXT`")
	refuseTogether(c, "usage", "unused", "snippet")
	refuseTogether(c, "json", "snippet")
	refuseTogether(c, "run-file", "unused")
	_ = c.MarkFlagFilename("run-file", "json")
	return c
}

// printSnippet prints the definition of a step, or says that there is one already.
func (p *program) printSnippet(text string, args []string) error {
	if len(args) > 0 {
		return errorWithHint("put the text of the step in quotes", "--snippet takes one text, found %q behind it", args[0])
	}
	if strings.TrimSpace(text) == "" || strings.ContainsAny(text, "\n\r\x00") {
		return errorWithHint(`write the line of the feature: --snippet 'Given the moon is "full"'`, "--snippet: the text of a step is one line")
	}
	s := snippet.Of(text)
	if found := suite.Definitions(s.Text); len(found) > 0 {
		p.note("this step is defined already: %s %s (%s)", found[0].Keyword, found[0].Pattern, found[0].Location)
	}
	fmt.Fprint(p.out, s.Go())
	return nil
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
