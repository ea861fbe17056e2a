package missing

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/internal/classtensors"
)

// compareLayers compares the layers of a stack with each other and with the table.
func (a *analysis) compareLayers(s *stack) {
	row := a.stackOf(s)
	n := a.countLayers(s, row)
	if n < 2 || a.full {
		return
	}
	rule := rulesOf(row)
	kinds := a.kinds(row, n)
	lacks := make([][]string, n) // by layer
	unsure := make([]bool, n)
	for _, m := range s.order {
		if m.layers.len() >= n && m.layers.hasAll(n) || isHarmless(m.name) {
			continue
		}
		want, certain := a.expectedLayers(s, m, n, rule[m.flat], kinds, row != nil && len(row.Keys) > 0)
		for _, i := range want {
			if s.present.has(i) && !m.layers.has(i) {
				lacks[i] = append(lacks[i], m.name)
				unsure[i] = unsure[i] || !certain
			}
		}
	}
	s.list(nil)
	for i := range n {
		for _, l := range s.lists {
			lacks[i] = append(lacks[i], l.nowhere(i)...)
		}
	}
	for i, names := range lacks {
		if len(names) > 0 {
			for k := range names {
				names[k] = join(s.prefix, strconv.Itoa(i)+"."+names[k])
			}
			a.report(Gap{Names: names, Because: "the other layers have it", Certain: !unsure[i]})
		}
	}
}

// hasAll tells whether the set has the numbers 0 to n-1.
func (s set) hasAll(n int) bool {
	for i := range n {
		if !s.has(i) {
			return false
		}
	}
	return true
}

// stackOf gives the row of the table for a stack, nil where there is none.
func (a *analysis) stackOf(s *stack) *classtensors.Stack {
	if a.class == nil {
		return nil
	}
	for i := range a.class.Stacks {
		if row := &a.class.Stacks[i]; a.renameStack(row.Prefix) == s.prefix {
			return row
		}
	}
	return nil
}

// renameStack gives the prefix in the checkpoint for one of the table.
func (a *analysis) renameStack(prefix string) string {
	return strings.TrimSuffix(a.rename(join(prefix, "#")), ".#")
}

// layerWords are the last words of the prefix of a stack whose numbers have no gaps.
var layerWords = []string{"layers", "layer", "h", "blocks", "block", "stages", "resblocks"}

// stageKeys are keys with an entry for each stage of a hierarchical model.
var stageKeys = []string{"depths", "vision_config.depths", "num_layers_per_stage"}

// countLayers gives the number of layers that are compared, and reports those that are
// missing as a whole.
func (a *analysis) countLayers(s *stack, row *classtensors.Stack) int {
	n := s.n
	word := s.prefix[strings.LastIndexByte(s.prefix, '.')+1:]
	switch {
	case row != nil && row.Layers.All != nil:
	case a.class != nil, !slices.Contains(layerWords, word), !s.isLayered(n):
		return n
	}
	var counts []int
	if row != nil {
		keys := row.Keys
		if len(keys) == 0 && (word == "stages" || word == "layers") {
			keys = stageKeys
		}
		for _, key := range keys {
			v := a.value(key)
			if v.IsArray() {
				v = a.value(key + ".#")
			}
			if v.Type == gjson.Number && v.Int() > 0 && v.Int() < maxLayers {
				counts = append(counts, int(v.Int()))
			}
		}
	}
	want, because := n, "there are layers before and behind"
	if len(counts) > 0 && !slices.Contains(counts, n) {
		want = slices.Min(counts)
		if len(row.Keys) == 0 && want != n+1 {
			return n // the key is of another stack
		}
		because = "the config gives " + strconv.Itoa(want) + " layers"
	}
	var gone []string
	for i := range want {
		if !s.present.has(i) {
			gone = append(gone, join(s.prefix, strconv.Itoa(i)+".*"))
		}
	}
	if len(gone) > 0 {
		a.report(Gap{Names: gone, Because: because, Certain: row != nil, Layers: true})
	}
	return min(n, want) // what comes behind is for the prediction of several tokens
}

type layerRule uint8

const (
	unknownRule layerRule = iota
	allLayers
	notFirst
	notLast
	onlyFirst
	onlyLast
	someLayers
)

// allows tells whether layer i of n may have the tensor.
func (r layerRule) allows(i, n int) bool {
	switch r {
	case notFirst:
		return i > 0
	case notLast:
		return i < n-1
	case onlyFirst:
		return i == 0
	case onlyLast:
		return i == n-1
	}
	return true
}

// hasFlat tells whether layer i has a tensor of this name, with # for numbers.
func (s *stack) hasFlat(flat string, i int) bool {
	return slices.ContainsFunc(s.order, func(m *member) bool { return m.flat == flat && m.layers.has(i) })
}

// rulesOf gives the rule of each name of a row.
func rulesOf(row *classtensors.Stack) map[string]layerRule {
	if row == nil {
		return nil
	}
	m := map[string]layerRule{}
	for rule, names := range map[layerRule][]string{allLayers: row.Layers.All, notFirst: row.Layers.NotFirst, notLast: row.Layers.NotLast, onlyFirst: row.Layers.First, onlyLast: row.Layers.Last, someLayers: row.Layers.Some} {
		for _, n := range names {
			m[normal(n)] = rule
		}
	}
	return m
}

// expectedLayers gives the layers that should have a tensor.
func (a *analysis) expectedLayers(s *stack, m *member, n int, rule layerRule, kinds []string, keyed bool) (want []int, certain bool) {
	if m.flat != m.name { // in a list of modules inside the layer
		return a.expectedInList(s, m, n, rule, kinds, keyed), true
	}
	switch rule {
	case allLayers:
		return numbers(0, n), true
	case notFirst:
		return numbers(1, n), true
	case notLast:
		return numbers(0, n-1), true
	case onlyFirst:
		return numbers(0, 1), true
	case onlyLast:
		return numbers(n-1, n), true
	}
	return a.expectedInKind(s, m, n, kinds, rule == someLayers, keyed)
}

// expectedInKind gives the layers of those kinds of which most have a tensor, where they are
// like the others of their kind. Where a layer is the only one of its kind, it is compared
// with all, unless the table says that the layers differ. In the first and the last layer, which in some models lack a norm, norms are not
// expected.
func (a *analysis) expectedInKind(s *stack, m *member, n int, kinds []string, differ, keyed bool) (want []int, certain bool) {
	if !s.isLayered(n) {
		return nil, false
	}
	isNorm := !differ && strings.Contains(m.name, "norm")
	for i := range n {
		if m.layers.has(i) || !s.present.has(i) || isNorm && (i == 0 || i == n-1) {
			continue
		}
		of := sameKind(kinds, i)
		if differ && (!keyed || len(of) < 3 || len(of) == n) {
			continue
		}
		if len(of) == 1 {
			of = numbers(0, n)
		}
		if m.isCommon(of) && (!differ || m.isUsual(without(of, i))) && s.isLikeOthers(i, of) {
			want = append(want, i)
		}
	}
	return want, false
}

func without(numbers []int, n int) []int {
	return slices.DeleteFunc(slices.Clone(numbers), func(i int) bool { return i == n })
}

// sameKind gives the layers of the kind of layer i.
func sameKind(kinds []string, i int) (of []int) {
	for k := range kinds {
		if kinds[k] == kinds[i] {
			of = append(of, k)
		}
	}
	return of
}

// isUsual tells whether three quarters of the layers have a tensor, one at least.
func (m *member) isUsual(layers []int) bool {
	with := 0
	for _, i := range layers {
		if m.layers.has(i) {
			with++
		}
	}
	return with > 0 && 4*with >= 3*len(layers)
}

// isCommon tells whether half of the layers have a tensor, one at least.
func (m *member) isCommon(layers []int) bool {
	with := 0
	for _, i := range layers {
		if m.layers.has(i) {
			with++
		}
	}
	return with > 0 && 2*with >= len(layers)
}

// The numbers by which modules with numbers are taken for layers of the same kind.
const (
	minCommon = 4 // tensors that most of them have
	fewNames  = 2 // tensors that one of them may lack
)

// isLayered tells whether the modules of a stack are layers, and not a sequence of
// modules of different kinds.
func (s *stack) isLayered(n int) bool {
	if n < 3 && len(s.order) < 2*minCommon {
		return false
	}
	common := 0
	for _, m := range s.order {
		if 2*m.layers.len() > n {
			common++
		}
	}
	return common >= minCommon
}

// isLikeOthers tells whether layer i has no tensor that most of the layers lack, and lacks
// few that most have.
func (s *stack) isLikeOthers(i int, layers []int) bool {
	lacks := 0
	for _, m := range s.order {
		common := m.isCommon(layers)
		switch has := m.layers.has(i); {
		case has && !common:
			return false
		case !has && common && !isHarmless(m.name):
			if lacks++; lacks > fewNames {
				return false
			}
		}
	}
	return true
}

// expectedInList gives the layers that should have a tensor of a list of modules inside the
// layer, such as experts: those whose module of that number is like the one of most other
// layers, or like the other modules of the list, and lacks the tensor.
func (a *analysis) expectedInList(s *stack, m *member, n int, rule layerRule, kinds []string, keyed bool) (want []int) {
	l := s.list(m)
	module := l.modules[m.module()]
	for i := range n {
		if m.layers.has(i) || !module.layers.has(i) || !rule.allows(i, n) || rule == someLayers && !s.hasFlat(m.flat, i) {
			continue
		}
		var same []int // other layers of the kind that have the module
		for j := range n {
			if j != i && kinds[j] == kinds[i] && module.layers.has(j) {
				same = append(same, j)
			}
		}
		with, siblings := l.countSiblings(m.module(), m.behind(), i)
		enough := keyed && len(same) > 0 || len(same) > 1 && 2*with >= siblings
		if enough && m.isUsual(same) && module.isLikeOthers(i, same, keyed) || !enough && l.siblingsHave(m.module(), m.behind(), i) || l.allSiblingsHave(m, i, module) {
			want = append(want, i)
		}
	}
	return want
}

// isLikeOthers tells whether the module in layer i has no tensor that it lacks in most of
// the layers, and lacks few that it has there. Where all layers are alike, it may have one
// that the others lack, as T5's first has the bias of positions.
func (lm *listModule) isLikeOthers(i int, layers []int, alike bool) bool {
	lacks := 0
	for _, m := range lm.members {
		common := m.isCommon(layers)
		switch has := m.layers.has(i); {
		case has && !common && !alike:
			return false
		case !has && common && !isHarmless(m.name):
			if lacks++; lacks > fewNames {
				return false
			}
		}
	}
	return true
}

// siblingsHave tells whether all other modules of the list in layer i have a tensor, three
// of them at least, or three quarters of the other experts.
func (l *list) siblingsHave(module, behind string, i int) bool {
	with, siblings := l.countSiblings(module, behind, i)
	return siblings >= 3 && (with == siblings && l.isInside(module, i) || l.experts && 4*with >= 3*siblings) && l.modules[module].lacks(i) <= fewNames
}

// nowhere gives the tensors that no layer has in a module of one number, and that the other
// modules of the list have in layer i.
func (l *list) nowhere(i int) (names []string) {
	for module, lm := range l.modules {
		if !lm.layers.has(i) {
			continue
		}
		first := names
		for _, other := range l.modules {
			if other == lm || !other.layers.has(i) {
				continue
			}
			for behind := range other.members {
				if lm.members[behind] == nil && l.siblingsHave(module, behind, i) {
					names = append(names, module+"."+behind)
				}
			}
			break // what all of them have, any of them has
		}
		if len(names)-len(first) > fewNames {
			names = first
		}
	}
	slices.Sort(names)
	return names
}

// allSiblingsHave tells whether every other module of the list in layer i has the tensor,
// three of them at least, and no layer lacks it in a module of the same number but this.
func (l *list) allSiblingsHave(m *member, i int, module *listModule) bool {
	with, siblings := l.countSiblings(m.module(), m.behind(), i)
	return siblings >= 3 && with == siblings && m.layers.len() == module.layers.len()-1 && module.lacks(i) <= fewNames
}

// countSiblings counts the other modules of the list in layer i, and those that have the
// tensor.
func (l *list) countSiblings(own, behind string, i int) (with, siblings int) {
	for name, other := range l.modules {
		if name == own || !other.layers.has(i) {
			continue
		}
		siblings++
		if sibling := other.members[behind]; sibling != nil && sibling.layers.has(i) {
			with++
		}
	}
	return with, siblings
}

// list is a list of modules inside the layers of a stack, by their number.
type list struct {
	modules map[string]*listModule // by the name of the module: "mlp.experts.3"
	experts bool
}

// lacks counts the tensors that the module lacks in layer i, and that it has in another
// layer.
func (lm *listModule) lacks(i int) (n int) {
	for _, other := range lm.members {
		if !other.layers.has(i) {
			n++
		}
	}
	return n
}

// isInside tells whether the list has modules before and behind one in layer i.
func (l *list) isInside(module string, i int) bool {
	at := strings.LastIndexByte(module, '.') + 1
	number, _ := strconv.Atoi(module[at:])
	next := l.modules[module[:at]+strconv.Itoa(number+1)]
	return number > 0 && next != nil && next.layers.has(i)
}

type listModule struct {
	layers  set
	members map[string]*member // by what comes behind the module
}

// split gives the name of the module with the last number of a name, and what comes behind.
func (m *member) split() (module, behind string) {
	parts := strings.Split(m.name, ".")
	for i := len(parts) - 2; i >= 0; i-- {
		if classtensors.IsNumber(parts[i]) {
			return strings.Join(parts[:i+1], "."), strings.Join(parts[i+1:], ".")
		}
	}
	return m.name, ""
}

func (m *member) module() string { module, _ := m.split(); return module }
func (m *member) behind() string { _, behind := m.split(); return behind }

// list gives the list that a member is in, nil where m is nil.
func (s *stack) list(m *member) *list {
	key := func(module string) string { return module[:strings.LastIndexByte(module, '.')+1] }
	if s.lists == nil {
		s.lists = map[string]*list{}
		for _, m := range s.order {
			if m.flat == m.name {
				continue
			}
			module, behind := m.split()
			if behind == "" {
				continue
			}
			l := s.lists[key(module)]
			if l == nil {
				l = &list{modules: map[string]*listModule{}, experts: strings.Contains(module, "experts")}
				s.lists[key(module)] = l
			}
			lm := l.modules[module]
			if lm == nil {
				lm = &listModule{members: map[string]*member{}}
				l.modules[module] = lm
			}
			lm.members[behind] = m
			for i := range s.n {
				if m.layers.has(i) {
					lm.layers.add(i)
				}
			}
		}
	}
	if m == nil {
		return nil
	}
	return s.lists[key(m.module())]
}

func numbers(from, to int) (all []int) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}
