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

// ClassRule is one row of class_rules.tsv.
type ClassRule struct {
	Kind, Pattern string
	namePattern   table.Pattern // of a rule of the kind name or type, or of a section rule with a pattern for the name
	matchesName   bool          // a section rule has namePattern
	keys          []config.Key  // of a section or override rule
	PartKey       config.Key    // of a part rule: the config member with a class or a model type
	PartCategory  string        // of a part rule: the category of that class or model type
	minPrefix     int           // of a nearest rule: the length of the common prefix
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
			rule.namePattern = table.NewPattern(rule.Pattern)
		case "section", "override":
			for name := range strings.SplitSeq(rule.Pattern, ",") {
				if strings.Contains(name, "*") {
					rule.namePattern, rule.matchesName = table.NewPattern(name), true
					continue
				}
				key, _ := config.KeyOf(name) // a test checks that it is one
				rule.keys = append(rule.keys, key)
			}
		case "part":
			member, of, _ := strings.Cut(rule.Pattern, ":")
			rule.PartKey, _ = config.KeyOf(member)
			rule.PartCategory = of
		case "nearest":
			rule.minPrefix, _ = strconv.Atoi(rule.Pattern)
		}
		if rule.Kind == "override" {
			r.overrides = append(r.overrides, rule)
		} else {
			r.rules = append(r.rules, rule)
		}
	}
}

// hasSections tells whether all keys of the rule are set.
func (rule *ClassRule) hasSections(has func(config.Key) bool) bool {
	for _, k := range rule.keys {
		if !has(k) {
			return false
		}
	}
	return true
}

// RuleResult is what a rule says of a checkpoint. Infer fills in the category and the
// task of the rule's row where it gives them.
type RuleResult struct {
	Category  answer.Category
	Task      answer.Task
	DecidedBy string
}

// RuleInput is what the rules for unlisted names use.
type RuleInput struct {
	ClassName, ModelType string
	IsSet                func(config.Key) bool
	// EvaluateOther evaluates rules of other kinds than name, type, section and nearest; ok
	// is false where the rule does not match. Where it is nil, these never match.
	EvaluateOther func(rule *ClassRule) (a RuleResult, ok bool)
}

// Infer evaluates the rules for a class name that is not listed, and gives the result of
// the first that matches. DecidedBy is empty where none does.
func (r *Registry) Infer(in RuleInput) (a RuleResult) {
	modelType := in.ModelType
	if strings.IndexByte(modelType, '-') >= 0 {
		modelType = strings.ReplaceAll(modelType, "-", "_")
	}
	for i := range r.rules {
		rule := &r.rules[i]
		a, matched := RuleResult{}, false
		switch rule.Kind {
		case "name":
			matched = rule.namePattern.Match(in.ClassName)
		case "type":
			matched = rule.namePattern.Match(modelType)
		case "section":
			matched = rule.hasSections(in.IsSet) && (!rule.matchesName || rule.namePattern.Match(in.ClassName))
		case "nearest":
			a, matched = r.inferFromNearest(in.ClassName, rule.minPrefix)
		default:
			if in.EvaluateOther != nil {
				a, matched = in.EvaluateOther(rule)
			}
		}
		if matched {
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

// Override gives the result of the first rule of the kind "override" whose section the
// config has; ok is false where there is none. It takes precedence over a listed class.
func (r *Registry) Override(doc *config.Document) (a RuleResult, ok bool) {
	for i := range r.overrides {
		if rule := &r.overrides[i]; rule.hasSections(doc.IsSet) {
			return RuleResult{rule.category, rule.task, "key " + rule.Pattern + " of " + config.ConfigJSON}, true
		}
	}
	return RuleResult{}, false
}

// partWords are words in the names of classes that are one part of a model.
var partWords = [...]string{"Text", "Vision", "Encoder", "Audio"}

// inferFromNearest gives the category of the listed names with the longest common
// prefix, compared without case; of several categories the most frequent. The prefix
// must have at least minPrefix bytes, which is at least 1. Not used are names of the diffusers library, which
// do not occur in the key architectures, and names with one of partWords that name does
// not have. DecidedBy lists some of the names.
func (r *Registry) inferFromNearest(name string, minPrefix int) (a RuleResult, ok bool) {
	if len(name) < max(minPrefix, 1) {
		return RuleResult{}, false
	}
	var parts uint // of partWords, those that name has
	for i, w := range partWords {
		if strings.Contains(name, w) {
			parts |= 1 << i
		}
	}
	votes := map[answer.Category][]*Class{}
	longest := minPrefix
	for _, names := range r.namesWithFirstByte(name[0]) {
		for _, other := range names {
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

// hasOtherPartWord tells whether a name has one of partWords that is not among parts.
func hasOtherPartWord(name string, parts uint) bool {
	for i, w := range partWords {
		if parts&(1<<i) == 0 && strings.Contains(name, w) {
			return true
		}
	}
	return false
}
