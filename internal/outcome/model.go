package outcome

import (
	"path/filepath"
	"slices"
	"strings"
)

// ModelLabels returns short names for the directories of the real checkpoints of a run, in
// the same order: the last part of each path, or the whole path where two are equal in
// it. A run with a single one, or none, needs no labels: they are "".
func ModelLabels(dirs []string) []string {
	labels := make([]string, len(dirs))
	if len(dirs) < 2 {
		return labels
	}
	bases := make([]string, len(dirs))
	for i, dir := range dirs {
		bases[i] = filepath.Base(dir)
	}
	for i, base := range bases {
		labels[i] = base
		if slices.Index(bases, base) != i || slices.Contains(bases[i+1:], base) {
			labels[i] = filepath.ToSlash(filepath.Clean(dirs[i]))
		}
	}
	return labels
}

// NameWithModel returns the name of a scenario with the label of its real checkpoint: the
// scenario runs once for each. A label of "" adds nothing.
func NameWithModel(name, label string) string { return name + modelSuffix(label) }

func modelSuffix(label string) string {
	if label == "" {
		return ""
	}
	return " [" + label + "]"
}

// NameInFile returns the name of the scenario as its feature file has it, without the
// label of a real checkpoint.
func (s *Scenario) NameInFile() string { return strings.TrimSuffix(s.Name, modelSuffix(s.Model)) }
