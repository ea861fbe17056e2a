package cli

import (
	"encoding/json"
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
		Short: "List what an inspection can find, with the way out",
		Long: `Lists the codes of everything that an inspection can find: how much it matters, what
was seen, what it leads to, and the way out. With words, only the codes that have all
of them, in any case, somewhere in that. With --failures it lists the twenty ways in which
checkpoints fail their users instead: what users see, the findings that say so, the way
out, and the presets for scenarios that are broken so.`,
		Example: `  omniloader findings                  every code
  omniloader findings shard            those about shards
  omniloader findings HeaderTooLarge   by the message of another loader
  omniloader findings --failures       the twenty failures, and presets that show them
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
			"held": "listed", "unable": "no code has these words, or a wrong flag",
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	c.Flags().BoolVar(&ofFailures, "failures", false, "list the ways in which checkpoints fail their users")
	return c
}

// holdsAll tells whether a text has all of the words, in any case.
func holdsAll(text string, words []string) bool {
	text = strings.ToLower(text)
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, strings.ToLower(w)) })
}

func encodeLines[T any](p *program, list []T) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	for _, e := range list {
		if err := encoder.Encode(e); err != nil {
			return standardOutput(err)
		}
	}
	return nil
}

func (p *program) listFailures(words []string, asJSON bool) error {
	found := slices.DeleteFunc(failures.All(), func(f failures.Failure) bool {
		text := slices.Concat([]string{f.Title, f.Seen, f.WayOut}, f.Codes, f.Presets)
		return !holdsAll(strings.Join(text, "\n"), words)
	})
	if len(found) == 0 {
		return unable(`"omniloader findings --failures" without words lists them all`, "no failure has %s in it", strings.Join(words, " and "))
	}
	if asJSON {
		return encodeLines(p, found)
	}
	for i, f := range found {
		if i > 0 {
			fmt.Fprintln(p.out)
		}
		fmt.Fprintf(p.out, "%s\n", p.heading(fmt.Sprintf("%d. %s", f.Number, f.Title)))
		p.labelled("  seen:     ", f.Seen)
		p.labelled("  findings: ", strings.Join(f.Codes, ", "))
		p.labelled("  presets:  ", strings.Join(f.Presets, ", "))
		p.labelled("  way out:  ", f.WayOut)
	}
	return nil
}

func (p *program) listFindings(words []string, asJSON bool) error {
	found := slices.DeleteFunc(finding.Explanations(), func(e finding.Explanation) bool {
		return !holdsAll(strings.Join([]string{e.Code, e.Title, e.Means, e.WayOut, string(e.Severity)}, "\n"), words)
	})
	if e, ok := finding.Explain(strings.Join(words, " ")); ok {
		found = []finding.Explanation{e} // a whole code means that one, not those that have it within
	}
	if len(found) == 0 {
		return unable(`"omniloader findings" without words lists every code`, "no finding has %s in it", strings.Join(words, " and "))
	}
	if asJSON {
		return encodeLines(p, found)
	}
	for i, e := range found {
		if i > 0 {
			fmt.Fprintln(p.out)
		}
		fmt.Fprintf(p.out, "%s  %s, %s\n", p.heading(e.Code), p.color(string(e.Severity), severityColors[e.Severity]), e.Title)
		p.wrapped("  ", e.Means)
		p.labelled("  way out: ", e.WayOut)
	}
	return nil
}
