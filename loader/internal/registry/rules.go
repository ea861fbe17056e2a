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
	namePattern   string       // of a rule for a name or a type, or of a section rule with a name
	matchesName   bool         // a section rule that asks for a name, too
	keys          []config.Key // of a section rule
	PartKey       config.Key   // of a part rule: the member that is looked into
	PartCategory  string       // of a part rule: the category that its model type has to be of
	minPrefix     int          // of a nearest rule
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
			rule.namePattern = rule.Pattern
		case "section", "over":
			for name := range strings.SplitSeq(rule.Pattern, ",") {
				if strings.Contains(name, "*") {
					rule.namePattern, rule.matchesName = name, true
					continue
				}
				rule.keys = append(rule.keys, config.KeysByName[name])
			}
		case "part":
			member, of, _ := strings.Cut(rule.Pattern, ":")
			rule.PartKey, rule.PartCategory = config.KeysByName[member], of
		case "nearest":
			rule.minPrefix, _ = strconv.Atoi(rule.Pattern)
		}
		if rule.Kind == "over" {
			r.overrides = append(r.overrides, rule)
		} else {
			r.rules = append(r.rules, rule)
		}
	}
}

// sections tells whether a config has all members of a section rule.
func (rule *ClassRule) hasSections(has func(config.Key) bool) bool {
	for _, k := range rule.keys {
		if !has(k) {
			return false
		}
	}
	return true
}

// Decision is what one rule says of a checkpoint: category and task, "" where the
// rule alone tells, and how it came to it, "" where the rule's line says all.
type RuleResult struct {
	Category  answer.Category
	Task      answer.Task
	DecidedBy string
}

// RuleInput are what the rules for names that are not listed may look at.
type RuleInput struct {
	ClassName, ModelType string
	IsSet                func(config.Key) bool
	// ask answers the rules that look beyond the name and the members of the
	// config; ok is false where one says nothing. Nil where there is no more.
	EvaluateOther func(rule *ClassRule) (a RuleResult, ok bool)
}

// Infer gives the first rule that fits a class that is not listed, with how it
// was decided; how is empty where none does.
func (r *Registry) Infer(c RuleInput) (a RuleResult) {
	modelType := c.ModelType
	if strings.IndexByte(modelType, '-') >= 0 {
		modelType = strings.ReplaceAll(modelType, "-", "_")
	}
	for i := range r.rules {
		rule := &r.rules[i]
		a, fits := RuleResult{}, false
		switch rule.Kind {
		case "name":
			fits = table.Match(rule.namePattern, c.ClassName)
		case "type":
			fits = table.Match(rule.namePattern, modelType)
		case "section":
			fits = rule.hasSections(c.IsSet) && (!rule.matchesName || table.Match(rule.namePattern, c.ClassName))
		case "nearest":
			a, fits = r.inferFromNearest(c.ClassName, rule.minPrefix)
		default:
			if c.EvaluateOther != nil {
				a, fits = c.EvaluateOther(rule)
			}
		}
		if fits {
			a.Category = answer.Category(cmp.Or(string(rule.category), string(a.Category)))
			a.Task = answer.Task(cmp.Or(string(rule.task), string(a.Task)))
			if a.DecidedBy == "" {
				a.DecidedBy = "rule for names that are not listed: " + rule.Kind + " " + rule.Pattern
			}
			return a
		}
	}
	return RuleResult{}
}

// Override gives what a section of the config says that beats a listed class.
func (r *Registry) Override(doc *config.Document) (a RuleResult, ok bool) {
	for i := range r.overrides {
		if rule := &r.overrides[i]; rule.hasSections(doc.IsSet) {
			return RuleResult{rule.category, rule.task, "key " + rule.Pattern + " of " + config.ConfigJSON}, true
		}
	}
	return RuleResult{}, false
}

// partWords mark the classes that are one part of a model: they say nothing of a
// neighbour that is not such a part itself.
var partWords = [...]string{"Text", "Vision", "Encoder", "Audio"}

// neighbours gives what the listed names say that share the longest beginning
// with name, without regard to case, where that is at least letters long and
// most of them agree; how names some of them. Names of the diffusers library do
// not count: they never stand in a config's architectures.
func (r *Registry) inferFromNearest(name string, letters int) (a RuleResult, ok bool) {
	if len(name) < letters {
		return RuleResult{}, false
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
		n := table.CommonPrefixLenFold(name, other)
		if n < longest || other == name {
			continue
		}
		c := r.Classes[other]
		if c.Category == answer.Diffusers || hasOtherPartWord(other, parts) {
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
		return RuleResult{}, false
	}
	const few = 4
	names := make([]string, 0, few+1)
	for _, c := range best[:min(few, len(best))] {
		names = append(names, c.Name)
	}
	if left := len(best) - few; left > 0 {
		names = append(names, strconv.Itoa(left)+" more")
	}
	return RuleResult{best[0].Category, best[len(best)-1].Task,
		"rule for names that are not listed: it begins like " + strings.Join(names, ", ")}, true
}

// isOtherPart tells whether a name has a part's word that the one asked about
// lacks.
func hasOtherPartWord(name string, parts uint) bool {
	for i, w := range partWords {
		if parts&(1<<i) == 0 && strings.Contains(name, w) {
			return true
		}
	}
	return false
}
