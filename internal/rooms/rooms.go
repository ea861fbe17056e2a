// Package rooms holds the plan of who may import whom, and the test that the
// program keeps to it. It has no code.
//
// The plan is plan.txt: a statement of policy, not a record of what happens to
// be. A line added there is a decision about the shape of the program; it is not
// the way to make a test pass.
package rooms
