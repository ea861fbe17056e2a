// Package importrules holds the table of which package may import which
// (plan.txt), and the tests that the module keeps to it. It has no code.
//
// The table states what is intended. A line is added to it because the structure
// of the module should change, and not because a test fails.
package importrules
