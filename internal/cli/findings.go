package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"omniloader/loader"
)

func (p *program) findingsCommand() *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use:   "findings [WORD…]",
		Short: "List what an inspection can find, with the way out",
		Long: `Lists the codes of everything that an inspection can find: how much it matters, what
was seen, what it leads to, and the way out. With words, only the codes that have all
of them, in any case, somewhere in that.`,
		Example: `  omniloader findings                  every code
  omniloader findings shard            those about shards
  omniloader findings HeaderTooLarge   by the message of another loader
  omniloader findings --json | jq -r .code`,
		RunE: func(_ *cobra.Command, words []string) error { return p.listFindings(words, asJSON) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var codes []string
			for _, e := range loader.Explanations() {
				codes = append(codes, e.Code+"\t"+e.Title)
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
		Annotations: map[string]string{
			"held": "listed", "unable": "no code has these words, or a wrong flag",
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return c
}

func (p *program) listFindings(words []string, asJSON bool) error {
	found := slices.DeleteFunc(loader.Explanations(), func(e loader.Explanation) bool {
		text := strings.ToLower(strings.Join([]string{e.Code, e.Title, e.Means, e.WayOut, string(e.Severity)}, "\n"))
		return slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, strings.ToLower(w)) })
	})
	if e, ok := loader.Explain(strings.Join(words, " ")); ok {
		found = []loader.Explanation{e} // a whole code means that one, not those that have it within
	}
	if len(found) == 0 {
		return unable(`"omniloader findings" without words lists every code`, "no finding has %s in it", strings.Join(words, " and "))
	}
	if asJSON {
		encoder := json.NewEncoder(p.out)
		encoder.SetEscapeHTML(false)
		for _, e := range found {
			if err := encoder.Encode(e); err != nil {
				return standardOutput(err)
			}
		}
		return nil
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
