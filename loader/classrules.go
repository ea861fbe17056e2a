package loader

import (
	"cmp"
	_ "embed"
	"strconv"
	"strings"
)

//go:embed class_rules.tsv
var classRulesTSV string

// classRule is one line of class_rules.tsv.
type classRule struct {
	looksAt, pattern string
	glob             glob   // of a rule for a name or a type, or of a section rule with a name
	named            bool   // a section rule that asks for a name, too
	keys             []key  // of a section rule
	key              key    // of a part rule: the member that is looked into
	of               string // of a part rule: the category that its model type has to be of
	letters          int    // of a nearest rule
	category         Category
	task             Task
}

// readRules parses class_rules.tsv.
func (r *registry) readRules() {
	r.rules = make([]classRule, 0, 200)
	for f := range tableRows(classRulesTSV) {
		rule := classRule{looksAt: f[0], pattern: f[1], category: Category(f[2]), task: Task(f[3])}
		switch rule.looksAt {
		case "name", "type":
			rule.glob = newGlob(rule.pattern)
		case "section", "over":
			for name := range strings.SplitSeq(rule.pattern, ",") {
				if strings.Contains(name, "*") {
					rule.glob, rule.named = newGlob(name), true
					continue
				}
				rule.keys = append(rule.keys, keysByName[name])
			}
		case "part":
			member, of, _ := strings.Cut(rule.pattern, ":")
			rule.key, rule.of = keysByName[member], of
		case "nearest":
			rule.letters, _ = strconv.Atoi(rule.pattern)
		}
		if rule.looksAt == "over" {
			r.over = append(r.over, rule)
		} else {
			r.rules = append(r.rules, rule)
		}
	}
}

// sections tells whether a config has all members of a section rule.
func (rule *classRule) sections(has func(key) bool) bool {
	for _, k := range rule.keys {
		if !has(k) {
			return false
		}
	}
	return true
}

// answer is what one rule says of a checkpoint: category and task, "" where the
// rule alone tells, and how it came to it, "" where the rule's line says all.
type answer struct {
	category Category
	task     Task
	how      string
}

// clues are what the rules for names that are not listed may look at.
type clues struct {
	name, modelType string
	has             func(key) bool
	// ask answers the rules that look beyond the name and the members of the
	// config; ok is false where one says nothing. Nil where there is no more.
	ask func(rule *classRule) (a answer, ok bool)
}

// guess gives the first rule that fits a class that is not listed, with how it
// was decided; how is empty where none does.
func (r *registry) guess(c clues) (a answer) {
	modelType := c.modelType
	if strings.IndexByte(modelType, '-') >= 0 {
		modelType = strings.ReplaceAll(modelType, "-", "_")
	}
	for i := range r.rules {
		rule := &r.rules[i]
		a, fits := answer{}, false
		switch rule.looksAt {
		case "name":
			fits = rule.glob.match(c.name)
		case "type":
			fits = rule.glob.match(modelType)
		case "section":
			fits = rule.sections(c.has) && (!rule.named || rule.glob.match(c.name))
		case "nearest":
			a, fits = r.neighbours(c.name, rule.letters)
		default:
			if c.ask != nil {
				a, fits = c.ask(rule)
			}
		}
		if fits {
			a.category = Category(cmp.Or(string(rule.category), string(a.category)))
			a.task = Task(cmp.Or(string(rule.task), string(a.task)))
			if a.how == "" {
				a.how = "rule for names that are not listed: " + rule.looksAt + " " + rule.pattern
			}
			return a
		}
	}
	return answer{}
}

// overrules gives what a section of the config says that beats a listed class.
func (r *registry) overrules(doc *document) (a answer, ok bool) {
	for i := range r.over {
		if rule := &r.over[i]; rule.sections(doc.has) {
			return answer{rule.category, rule.task, "key " + rule.pattern + " of " + fileConfig}, true
		}
	}
	return answer{}, false
}

// glob is a pattern in which * stands for any text, split once at its stars. A
// match takes time in proportion to the name and allocates nothing.
type glob struct {
	begins, ends string   // before the first star and behind the last
	between      []string // in this order
	exact        bool     // there is no star
}

func newGlob(pattern string) glob {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return glob{begins: pattern, exact: true}
	}
	return glob{begins: parts[0], ends: parts[last], between: parts[1:last]}
}

func (g *glob) match(name string) bool {
	if g.exact {
		return name == g.begins
	}
	if len(name) < len(g.begins)+len(g.ends) || !strings.HasPrefix(name, g.begins) || !strings.HasSuffix(name, g.ends) {
		return false
	}
	name = name[len(g.begins) : len(name)-len(g.ends)]
	for _, part := range g.between {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return true
}

// partWords mark the classes that are one part of a model: they say nothing of a
// neighbour that is not such a part itself.
var partWords = [...]string{"Text", "Vision", "Encoder", "Audio"}

// neighbours gives what the listed names say that share the longest beginning
// with name, without regard to case, where that is at least letters long and
// most of them agree; how names some of them. Names of the diffusers library do
// not count: they never stand in a config's architectures.
func (r *registry) neighbours(name string, letters int) (a answer, ok bool) {
	if len(name) < letters {
		return answer{}, false
	}
	var parts uint // of partWords, those that name has
	for i, w := range partWords {
		if strings.Contains(name, w) {
			parts |= 1 << i
		}
	}
	votes := map[Category][]*Class{}
	longest := letters
	for _, other := range r.names {
		n := commonPrefixFold(name, other)
		if n < longest || other == name {
			continue
		}
		c := r.classes[other]
		if c.Category == Diffusers || isOtherPart(other, parts) {
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
		return answer{}, false
	}
	const few = 4
	names := make([]string, 0, few+1)
	for _, c := range best[:min(few, len(best))] {
		names = append(names, c.Name)
	}
	if left := len(best) - few; left > 0 {
		names = append(names, strconv.Itoa(left)+" more")
	}
	return answer{best[0].Category, best[len(best)-1].Task,
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

func commonPrefixFold(a, b string) (n int) {
	for n < len(a) && n < len(b) && lower(a[n]) == lower(b[n]) {
		n++
	}
	return n
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
