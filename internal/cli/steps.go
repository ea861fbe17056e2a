package cli

import (
	"encoding/json"
	"fmt"
	"slices"
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
and the pattern it is matched with. With words, only the steps that have all of
them, in any case, somewhere in that.`,
		Example: `  omniloader steps                  every step
  omniloader steps latency          those about latency
  omniloader steps --json | jq -r .pattern`,
		RunE:              func(_ *cobra.Command, words []string) error { return p.listSteps(words, asJSON) },
		ValidArgsFunction: cobra.NoFileCompletions,
		Annotations: map[string]string{
			"held": "listed", "unable": "no step has these words, or a wrong flag",
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return c
}

func (p *program) listSteps(words []string, asJSON bool) error {
	found := slices.DeleteFunc(steps.Catalogue(), func(d steps.Definition) bool {
		text := strings.ToLower(strings.Join([]string{d.Keyword, d.Pattern, d.Meaning, d.Example, d.Group}, "\n"))
		return slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, strings.ToLower(w)) })
	})
	if len(found) == 0 {
		return unable(`"omniloader steps" without words lists every step`, "no step has %s in it", strings.Join(words, " and "))
	}
	if asJSON {
		return p.encodeSteps(found)
	}
	group := ""
	for i, d := range found {
		if i > 0 {
			fmt.Fprintln(p.out)
		}
		if d.Group != group {
			group = d.Group
			fmt.Fprintf(p.out, "%s\n\n", p.heading(group))
		}
		fmt.Fprintf(p.out, "  %s %s\n", d.Keyword, strings.ReplaceAll(d.Example, "\n", "\n    "))
		p.wrapped("      ", d.Meaning)
		fmt.Fprintf(p.out, "      %s  (%s)\n", d.Pattern, d.Location)
	}
	return nil
}

// stepObject is what steps --json prints.
type stepObject struct {
	Keyword  string `json:"keyword"` // Given, When or Then
	Pattern  string `json:"pattern"` // a regular expression
	Meaning  string `json:"meaning"`
	Example  string `json:"example"` // a text that the pattern matches
	Group    string `json:"group"`
	Location string `json:"location"` // file:line of its definition
}

func (p *program) encodeSteps(definitions []steps.Definition) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	for _, d := range definitions {
		if err := encoder.Encode(stepObject(d)); err != nil {
			return err
		}
	}
	return nil
}
