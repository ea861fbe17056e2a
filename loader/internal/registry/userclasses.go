package registry

import (
	"bufio"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/internal/table"
)

// Architectures are class names that a user adds to the built-in ones.
type Architectures struct {
	Classes []Class // in the order of the file
}

// Len is the number of class names.
func (a *Architectures) Len() int { return len(a.Classes) }

// Limits of a table of class names.
const (
	maxArchitectures    = 100_000
	maxArchitectureLine = 1024 // bytes
)

// userCategories are the categories that a class name can be added with.
var userCategories = []answer.Category{answer.Transformers, answer.VisionEncoder, answer.AudioEncoder, answer.ASR, answer.Diffusers, answer.SAE, answer.Adapter}

// columnNames are the columns of a table of class names, in their order.
var columnNames = [table.Columns]string{"class", "category", "task", "model type", "real name"}

// ReadArchitectures reads a table of class names in the form of architectures.tsv: one
// line for each, with columns separated by one tab. The columns are class name,
// category, task, model type and the class that loads it. The first two are required;
// "-" stands for nothing in the others, and "#" begins a comment.
//
// file is the table's name in errors, which name the line; their kind is fault.Malformed
// or fault.TooLarge. A category that is not known, a name that occurs twice and a name
// that is built in are errors.
func ReadArchitectures(file string, r io.Reader) (*Architectures, error) {
	a := &Architectures{}
	first := map[string]int{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxArchitectureLine)
	number := 0
	fail := func(kind fault.Kind, detail string) error {
		return fault.New(kind, file, "line "+strconv.Itoa(number)+": "+detail)
	}
	for lines.Scan() {
		number++
		line := strings.TrimSuffix(lines.Text(), "\r")
		if number == 1 {
			line = strings.TrimPrefix(line, "\uFEFF")
		}
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		c, detail := parseArchitecture(line)
		if detail != "" {
			return nil, fail(fault.Malformed, detail)
		}
		if before := first[c.Name]; before > 0 {
			return nil, fail(fault.Malformed, strconv.Quote(c.Name)+" is on line "+strconv.Itoa(before)+" already")
		}
		if built, ok := LookupClass(c.Name); ok {
			return nil, fail(fault.Malformed, strconv.Quote(c.Name)+" is built in, as "+string(built.Category)+": only new names can be added")
		}
		if len(a.Classes) == maxArchitectures {
			return nil, fail(fault.TooLarge, "more than "+strconv.Itoa(maxArchitectures)+" class names")
		}
		first[c.Name] = number
		c.foundBy = "class name in architectures of config.json, from " + file
		a.Classes = append(a.Classes, c)
	}
	number++
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fail(fault.TooLarge, "longer than "+strconv.Itoa(maxArchitectureLine)+" bytes")
	case err != nil:
		return nil, fault.New(fault.Unreadable, file, "reading it failed").WithCause(err)
	}
	return a, nil
}

// parseArchitecture parses one line; wrong says what is wrong with it, "" where nothing
// is.
func parseArchitecture(line string) (c Class, wrong string) {
	var fields [table.Columns]string
	given := strings.Split(line, "\t")
	if len(given) < 2 || len(given) > table.Columns {
		return c, strconv.Itoa(len(given)) + " columns: from 2 to " + strconv.Itoa(table.Columns) + ", separated by tabs, are class, category, task, model type, real name"
	}
	for i, text := range given {
		switch {
		case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return c, "the " + columnNames[i] + " is no plain text"
		case text != strings.TrimSpace(text):
			return c, "white space around the " + columnNames[i] + " " + strconv.Quote(text)
		case text == "-" && i > 1:
			text = ""
		case (text == "" || text == "-") && i < 2:
			return c, "there is no " + columnNames[i]
		}
		fields[i] = text
	}
	c = Class{Name: fields[0], Category: answer.Category(fields[1]), Task: answer.Task(fields[2]), ModelType: fields[3], RealName: fields[4]}
	if !slices.Contains(userCategories, c.Category) {
		known := make([]string, len(userCategories))
		for i, category := range userCategories {
			known[i] = string(category)
		}
		return c, "unknown category " + strconv.Quote(fields[1]) + ", known: " + strings.Join(known, ", ")
	}
	if c.RealName == "" {
		c.RealName = c.Name
	}
	return c, ""
}

// WithClasses gives a copy of the registry with more class names. Names that it has
// already keep their entry.
func (r *Registry) WithClasses(classes []Class) *Registry {
	more := *r
	more.Classes = make(map[string]*Class, len(r.Classes)+len(classes))
	maps.Copy(more.Classes, r.Classes)
	more.names = slices.Clip(slices.Clone(r.names))
	for i := range classes {
		c := &classes[i]
		if more.Classes[c.Name] != nil {
			continue
		}
		more.Classes[c.Name] = c
		more.names = append(more.names, c.Name)
	}
	slices.Sort(more.names)
	more.indexFolded()
	return &more
}
