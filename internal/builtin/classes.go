package builtin

import (
	"strings"

	"omniloader/loader"
	"omniloader/loader/undertest"
)

var _ undertest.ClassTable = builtin{}

// CheckArchitectures reads a table of class names as Prepare does.
func (b builtin) CheckArchitectures(table string) error {
	_, err := loader.ReadArchitectures(registeredClasses, strings.NewReader(table))
	return err
}

// registeredClasses is what errors call the table of added class names.
const registeredClasses = "registered classes"
