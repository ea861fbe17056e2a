package steps

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/internal/engine"
	"omniloader/internal/quantity"
	"omniloader/internal/suggest"
	"omniloader/loader/undertest"
)

// tableSteps are the Then steps that assert several fields at once.
func (w *world) tableSteps(r stepRegistrar) {
	r.group("Several fields of the answer at once")
	r.Then(`^the answer has:$`, w.answerHas, stepDoc{
		meaning: "Each row of a table with the columns field and value holds: a text, a number with or without a unit, yes or no, the entries of a list separated by commas, \"absent\" or \"present\". A text in quotes is taken as it is. All wrong rows are reported.",
		example: `the answer has:`,
		check: func(c *argumentCheck, _ []string) {
			rows, err := readFieldRows(c.table())
			c.add(BadTable, err)
			for _, row := range rows {
				f := c.field(row.field)
				if f == nil {
					continue
				}
				if f.Kind == undertest.KindObject && c.Vocabulary.known(c.operation, f.name+" "+total) && !isState(row.value) {
					f = c.field(f.name + " " + total)
				}
				c.add(BadTable, row.check(f))
			}
		},
	})
}

// fieldRow is a row of a table of fields and their values.
type fieldRow struct {
	field, value string
	quoted       bool // the value was in quotes
}

// readTable reads a table whose first row names its columns. It returns the cells of each
// further row by the name of the column. The columns of required must be there, those of
// optional may be. A nil table has no rows.
func readTable(table *engine.Table, required, optional []string) ([]map[string]string, error) {
	if table == nil {
		return nil, nil
	}
	known := append(slices.Clone(required), optional...)
	var columns []string
	for _, cell := range table.Rows[0].Cells {
		switch {
		case !slices.Contains(known, cell.Value):
			return nil, fmt.Errorf("the table has a column %q, %s", cell.Value, suggest.DidYouMean(cell.Value, known))
		case slices.Contains(columns, cell.Value):
			return nil, fmt.Errorf("the table has two columns %q", cell.Value)
		}
		columns = append(columns, cell.Value)
	}
	for _, name := range required {
		if !slices.Contains(columns, name) {
			return nil, fmt.Errorf("the table has no column %q: its first row names the columns, which are: %s", name, strings.Join(known, ", "))
		}
	}
	var rows []map[string]string
	for _, r := range table.Rows[1:] {
		row := make(map[string]string)
		for i, cell := range r.Cells {
			row[columns[i]] = cell.Value
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, errors.New("the table has no row below the one that names its columns")
	}
	return rows, nil
}

func readFieldRows(table *engine.Table) ([]fieldRow, error) {
	cells, err := readTable(table, []string{"field", "value"}, nil)
	if err != nil {
		return nil, err
	}
	var rows []fieldRow
	seen := make(map[string]bool)
	for _, c := range cells {
		name := words(c["field"])
		if seen[name] {
			return nil, fmt.Errorf("the table has two rows for the field %q", c["field"])
		}
		seen[name] = true
		row := fieldRow{field: c["field"], value: c["value"]}
		if v := row.value; len(v) > 1 && strings.HasPrefix(v, `"`) && strings.HasSuffix(v, `"`) {
			row.value, row.quoted = v[1:len(v)-1], true
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// The values that say whether a field is there.
const (
	absent  = "absent"
	present = "present"
)

// isState says whether a value asks only whether the field is there.
func isState(value string) bool {
	return value == absent || value == present || value == "null" || value == ""
}

// check returns an error if no value of the field can be the one of the row.
func (r fieldRow) check(f *knownField) error {
	if f == nil || r.quoted || isState(r.value) {
		return nil
	}
	switch f.Kind {
	case undertest.KindBoolean:
		if _, known := truth[r.value]; !known {
			return fmt.Errorf("the %s is true or false, and %q is neither: write yes or no", r.field, r.value)
		}
	case undertest.KindNumber:
		if _, err := readAmount(r.value, "", f); err != nil {
			return fmt.Errorf("the %s: %w", r.field, err)
		}
	case undertest.KindObject:
		return fmt.Errorf("the %s has fields of its own: name one of them, or write absent or present", r.field)
	}
	return nil
}

// truth are the spellings of true and false in a table.
var truth = map[string]bool{"yes": true, "true": true, "no": false, "false": false}

// answerHas asserts every row of a table, and reports all that do not hold.
func (w *world) answerHas(table *engine.Table) error {
	rows, err := readFieldRows(table)
	if err != nil {
		return &ScenarioError{err}
	}
	var failures []error
	mistaken := false
	for _, row := range rows {
		err := w.rowHolds(row)
		var mistake *ScenarioError
		mistaken = mistaken || errors.As(err, &mistake)
		if err != nil {
			failures = append(failures, err)
		}
	}
	switch all := errors.Join(failures...); {
	case mistaken:
		return &ScenarioError{all}
	case len(failures) > 1:
		return fmt.Errorf("%d of %d fields differ:\n%w", len(failures), len(rows), all)
	default:
		return all
	}
}

// rowHolds asserts one row.
func (w *world) rowHolds(row fieldRow) error {
	isAny := !row.quoted && isState(row.value)
	f, err := w.fieldOrNull(row.field)
	if err != nil {
		return err
	}
	if sum := f.value.Get(total); !isAny && f.value.IsObject() && sum.Type == gjson.Number {
		f = answerField{newFieldName(append(slices.Clone(f.keys), total)), sum, f.value}
	}
	v := f.value
	switch {
	case isAny && row.value == present:
		if isAbsent(v) {
			return w.unequal(row.field, f, "something")
		}
		return nil
	case isAny:
		if !isAbsent(v) {
			return w.unequal(row.field, f, "nothing")
		}
		return nil
	case v.Type == gjson.String:
		if v.Str != row.value {
			return w.unequal(row.field, f, strconv.Quote(row.value))
		}
	case v.IsArray():
		if got := strings.Join(entryTexts(v), ", "); got != row.value {
			return fmt.Errorf("the %s are %s, expected %q%s", row.field, shownList(got), row.value, w.origin(f))
		}
	case v.Type == gjson.Null || row.quoted:
		return w.unequal(row.field, f, strconv.Quote(row.value))
	case v.IsBool():
		want, known := truth[row.value]
		if !known {
			return scenarioErrorf("the %s is %s, and %q is neither yes nor no", row.field, shown(v), row.value)
		}
		if v.Bool() != want {
			return w.unequal(row.field, f, row.value)
		}
	case v.Type == gjson.Number:
		limit, err := quantity.ParseAmount(row.value)
		if err != nil {
			return scenarioErrorf("the %s: %w", row.field, err)
		}
		if !limit.Is(v.Num) {
			return w.outside(row.field, f, limit, row.value)
		}
	default:
		return scenarioErrorf("the %s has fields of its own: name one of them", row.field)
	}
	return nil
}
