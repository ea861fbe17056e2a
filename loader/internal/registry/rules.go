package registry

import (
	"cmp"
	_ "embed"
	"strconv"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/table"
)

//go:embed class_rules.tsv
var classRulesTSV string

// ClassRule is one line of class_rules.tsv.
type ClassRule struct {
	Kind, Pattern string
	glob          string       // of a rule for a name or a type, or of a section rule with a name
	named         bool         // a section rule that asks for a name, too
	keys          []config.Key // of a section rule
	Key           config.Key   // of a part rule: the member that is looked into
	Of            string       // of a part rule: the category that its model type has to be of
	letters       int          // of a nearest rule
	category      answer.Category
	task          answer.Task
}

// readRules parses class_rules.tsv.
func (r *Registry) readRules() {
	r.rules = make([]ClassRule, 0, 200)
	for f := range table.Rows(classRulesTSV) {
		rule := ClassRule{Kind: f[0], Pattern: f[1], category: answer.Category(f[2]), task: answer.Task(f[3])}
		switch rule.Kind {
		case "name", "type":
			rule.glob = rule.Pattern
		case "section", "over":
			for name := range strings.SplitSeq(rule.Pattern, ",") {
				if strings.Contains(name, "*") {
					rule.glob, rule.named = name, true
					continue
				}
				rule.keys = append(rule.keys, config.KeysByName[name])
			}
		case "part":
			member, of, _ := strings.Cut(rule.Pattern, ":")
			rule.Key, rule.Of = config.KeysByName[member], of
		case "nearest":
			rule.letters, _ = strconv.Atoi(rule.Pattern)
		}
		if rule.Kind == "over" {
			r.over = append(r.over, rule)
		} else {
			r.rules = append(r.rules, rule)
		}
	}
}

// sections tells whether a config has all members of a section rule.
func (rule *ClassRule) sections(has func(config.Key) bool) bool {
	for _, k := range rule.keys {
		if !has(k) {
			return false
		}
	}
	return true
}

// Decision is what one rule says of a checkpoint: category and task, "" where the
// rule alone tells, and how it came to it, "" where the rule's line says all.
type Decision struct {
	Category answer.Category
	Task     answer.Task
	By       string
}

// RuleInput are what the rules for names that are not listed may look at.
type RuleInput struct {
	Name, ModelType string
	Has             func(config.Key) bool
	// ask answers the rules that look beyond the name and the members of the
	// config; ok is false where one says nothing. Nil where there is no more.
	More func(rule *ClassRule) (a Decision, ok bool)
}

// Infer gives the first rule that fits a class that is not listed, with how it
// was decided; how is empty where none does.
func (r *Registry) Infer(c RuleInput) (a Decision) {
	modelType := c.ModelType
	if strings.IndexByte(modelType, '-') >= 0 {
		modelType = strings.ReplaceAll(modelType, "-", "_")
	}
	for i := range r.rules {
		rule := &r.rules[i]
		a, fits := Decision{}, false
		switch rule.Kind {
		case "name":
			fits = table.Match(rule.glob, c.Name)
		case "type":
			fits = table.Match(rule.glob, modelType)
		case "section":
			fits = rule.sections(c.Has) && (!rule.named || table.Match(rule.glob, c.Name))
		case "nearest":
			a, fits = r.neighbours(c.Name, rule.letters)
		default:
			if c.More != nil {
				a, fits = c.More(rule)
			}
		}
		if fits {
			a.Category = answer.Category(cmp.Or(string(rule.category), string(a.Category)))
			a.Task = answer.Task(cmp.Or(string(rule.task), string(a.Task)))
			if a.By == "" {
				a.By = "rule for names that are not listed: " + rule.Kind + " " + rule.Pattern
			}
			return a
		}
	}
	return Decision{}
}

// Override gives what a section of the config says that beats a listed class.
func (r *Registry) Override(doc *config.Document) (a Decision, ok bool) {
	for i := range r.over {
		if rule := &r.over[i]; rule.sections(doc.Has) {
			return Decision{rule.category, rule.task, "key " + rule.Pattern + " of " + config.FileConfig}, true
		}
	}
	return Decision{}, false
}

// partWords mark the classes that are one part of a model: they say nothing of a
// neighbour that is not such a part itself.
var partWords = [...]string{"Text", "Vision", "Encoder", "Audio"}

// neighbours gives what the listed names say that share the longest beginning
// with name, without regard to case, where that is at least letters long and
// most of them agree; how names some of them. Names of the diffusers library do
// not count: they never stand in a config's architectures.
func (r *Registry) neighbours(name string, letters int) (a Decision, ok bool) {
	if len(name) < letters {
		return Decision{}, false
	}
	var parts uint // of partWords, those that name has
	for i, w := range partWords {
		if strings.Contains(name, w) {
			parts |= 1 << i
		}
	}
	votes := map[answer.Category][]*Class{}
	longest := letters
	for _, other := range r.names {
		n := table.CommonPrefixFold(name, other)
		if n < longest || other == name {
			continue
		}
		c := r.Classes[other]
		if c.Category == answer.Diffusers || isOtherPart(other, parts) {
			continue
		}
		if n > longest {
			clear(votes)
			longest = n
		}
		votes[c.Category] = append(votes[c.Category], c)
	}
	var best []*Class
	for category, classes := range votes {
		if len(classes) > len(best) || len(classes) == len(best) && category < best[0].Category {
			best = classes
		}
	}
	if len(best) == 0 {
		return Decision{}, false
	}
	const few = 4
	names := make([]string, 0, few+1)
	for _, c := range best[:min(few, len(best))] {
		names = append(names, c.Name)
	}
	if left := len(best) - few; left > 0 {
		names = append(names, strconv.Itoa(left)+" more")
	}
	return Decision{best[0].Category, best[len(best)-1].Task,
		"rule for names that are not listed: it begins like " + strings.Join(names, ", ")}, true
}

// isOtherPart tells whether a name has a part's word that the one asked about
// lacks.
func isOtherPart(name string, parts uint) bool {
	for i, w := range partWords {
		if parts&(1<<i) == 0 && strings.Contains(name, w) {
			return true
		}
	}
	return false
}
